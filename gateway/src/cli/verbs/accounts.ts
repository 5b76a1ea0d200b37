/** `turnward accounts`: local accounts. No password is ever on a command line: a link sets it, once, in a browser. */
import { Option, type Command } from 'commander'
import { roleNames } from '@turnward/contract/config/identity/roles'
import { loadConfig } from '../../config/load.ts'
import { publicUrl } from '../../config/public-url.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { systemClock } from '../../core/clock.ts'
import { AccountAdministration, type NewLink } from '../../identity/accounts/administering-accounts.ts'
import { openStore } from '../../store/store.ts'
import { noteAct } from '../noting-act.ts'
import { fail, print, table } from '../output.ts'
import { openingSettingsOf, storePlaceOf } from '../places.ts'
import { configOption, jsonOption } from '../shared-options.ts'

interface AccountsOptions {
  readonly config: string
  readonly json?: boolean
  readonly role?: readonly string[]
}

export function addAccounts(program: Command): void {
  const accounts = program.command('accounts').description('add, list, reset and remove local accounts')
  accounts
    .command('add')
    .description('add an account, and print the link that sets its password')
    .argument('<name>', 'name of the account, which is the id of its principal')
    .addOption(new Option('--role <role...>', 'roles on the admin side').choices(roleNames))
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward accounts add alice\n  $ turnward accounts add root --role admin')
    .action((name: string, options: AccountsOptions) =>
      run(options, async ({ administration, snapshot, linkMs, note }) => {
        const roles = options.role ?? []
        await note('accounts.add', name, `Adds an account${roles.length === 0 ? '' : ` with the roles ${roles.join(', ')}`}.`)
        const link = await administration.add(name, roles, linkMs)
        printLink(options, name, link, snapshot)
      }),
    )
  accounts
    .command('list')
    .description('list accounts')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward accounts list')
    .action((options: AccountsOptions) =>
      run(options, async ({ administration }) => {
        const all = (await administration.list()).map(({ person, password, totp, recovery, created, changed }) => ({
          name: person,
          status: password === null ? 'waits for its link' : 'active',
          codes: totp !== null,
          recovery_codes: recovery.length,
          created,
          changed,
        }))
        const rows = all.map(({ name, status, codes, recovery_codes: left, changed }) => [
          name,
          status,
          codes ? `yes, ${left} recovery codes left` : 'no',
          new Date(changed).toISOString(),
        ])
        const text =
          all.length === 0 ? 'No accounts yet: `turnward accounts add <name>`.' : table([['NAME', 'STATUS', 'CODES', 'CHANGED'], ...rows])
        print(options, { accounts: all }, text)
      }),
    )
  accounts
    .command('reset')
    .description('take password and codes of an account away, end its sessions, and print the link that sets new ones')
    .argument('<name>', 'name of the account')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward accounts reset alice')
    .action((name: string, options: AccountsOptions) =>
      run(options, async ({ administration, snapshot, linkMs, note }) => {
        await note('accounts.reset', name, 'Takes password and codes of the account away.')
        printLink(options, name, await administration.reset(name, linkMs), snapshot)
      }),
    )
  accounts
    .command('remove')
    .description('remove an account and end its sessions; the person and their keys stay')
    .argument('<name>', 'name of the account')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward accounts remove alice')
    .action((name: string, options: AccountsOptions) =>
      run(options, async ({ administration, note }) => {
        await note('accounts.remove', name, 'Removes the account.')
        await administration.remove(name)
        print(options, { name, removed: true }, `Removed the account ${name}.`)
      }),
    )
}

interface Work {
  readonly administration: AccountAdministration
  readonly snapshot: Snapshot
  readonly linkMs: number
  readonly note: (act: string, subject: string, reason: string) => Promise<void>
}

async function run(options: AccountsOptions, work: (parts: Work) => Promise<void>): Promise<void> {
  try {
    const snapshot = await loadConfig(options.config, process.env)
    const store = await openStore(storePlaceOf(openingSettingsOf(snapshot)))
    try {
      await work({
        administration: new AccountAdministration(store, systemClock),
        snapshot,
        linkMs: snapshot.identity.sign_in.link_ms,
        note: (act, subject, reason) => noteAct(store, { verb: 'turnward accounts', act, subject, reason }),
      })
    } finally {
      await store.close()
    }
  } catch (error) {
    fail(options, error)
  }
}

function printLink(options: AccountsOptions, name: string, { token, expires }: NewLink, snapshot: Snapshot): void {
  const link = `${publicUrl(snapshot)}/set-password/${token}`
  const until = new Date(expires).toISOString()
  const isOff = snapshot.identity.sign_in.local ? '' : '\n`identity.sign_in.local` is off: nobody can use it until it is on.'
  print(options, { name, link, expires: until }, `${link}\n\nShown once. Good once, until ${until}, for ${name}.${isOff}`)
}
