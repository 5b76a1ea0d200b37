/** At the first start there is nobody who could let anybody in: whoever sits at the terminal is offered to be the first administrator. */
import { publicUrl } from '../config/public-url.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { systemClock } from '../core/clock.ts'
import { AccountAdministration } from '../identity/accounts/administering-accounts.ts'
import { openStore } from '../store/store.ts'
import { noteAct } from './noting-act.ts'
import { openingSettingsOf, storePlaceOf } from './places.ts'

/**
 * What to say to the terminal; undefined where there are no local accounts, or there is an administrator already, in the store or by
 * the configuration. The link is for a terminal alone: where output is collected it would be kept, so a verb is named instead.
 */
export async function firstAdministratorText(snapshot: Snapshot, url: string, isTerminal: boolean): Promise<string | undefined> {
  const { sign_in: signIn, roles } = snapshot.identity
  const { admin } = roles
  if (!signIn.local || (admin !== undefined && admin.people.length + admin.groups.length > 0)) return undefined
  const store = await openStore(storePlaceOf(openingSettingsOf(snapshot)))
  try {
    const administration = new AccountAdministration(store, systemClock)
    if (await store.accounts.hasAdmin()) return undefined
    if (!isTerminal) return 'There is no administrator yet: `turnward accounts add NAME --role admin`.'
    const act = { act: 'accounts.first_link', subject: 'the first administrator', reason: 'Shows a link that makes an administrator.' }
    await noteAct(store, { verb: 'turnward start', ...act })
    const link = await administration.firstLink(signIn.link_ms)
    if (link === undefined) return undefined
    const { listen } = snapshot.settings
    const at = listen.public_url === undefined && listen.port === 0 ? url : publicUrl(snapshot)
    return `There is no administrator yet. This link makes you one; it is good once, until ${new Date(link.expires).toISOString()}:\n  ${at}/set-password/${link.token}`
  } finally {
    await store.close()
  }
}
