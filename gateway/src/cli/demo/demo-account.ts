/** An administrator's account of a demo: whoever runs it sees its turn in the console, and can try another policy on it. */
import { systemClock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import { Accounts } from '../../identity/accounts/accounts.ts'
import { AccountAdministration } from '../../identity/accounts/administering-accounts.ts'
import { openStore, type Store } from '../../store/store.ts'
import type { Services } from '../../turns/services.ts'
import { openingSettingsOf, storePlaceOf } from '../places.ts'

export interface DemoAccount {
  readonly name: string
  /** Of this run alone; ends with its data. */
  readonly password: string
}

/** Rejects with `gateway.internal` where there is an administrator already: a demo has a store of its own. */
export async function demoAccount({ snapshot, state }: Pick<Services, 'snapshot' | 'state'>): Promise<DemoAccount> {
  const store = await openStore(storePlaceOf(openingSettingsOf(snapshot())))
  try {
    return await madeAccount(store, state)
  } finally {
    await store.close()
  }
}

async function madeAccount(store: Store, state: Services['state']): Promise<DemoAccount> {
  const link = await new AccountAdministration(store, systemClock).firstLink(60_000)
  const name = 'you'
  const password = randomText(16)
  const accounts = new Accounts({ store, state, clock: systemClock, needsCode: () => false })
  const used = link && (await accounts.useLink(link.token, { name, password, sealedTotp: '', code: '' }))
  if (used === undefined || 'problem' in used)
    throw new TurnwardError('gateway.internal', { subject: name, why: used?.problem ?? 'there is an administrator' })
  return { name, password }
}
