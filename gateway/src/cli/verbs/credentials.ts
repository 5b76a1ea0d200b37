/** `turnward credentials`: provider credentials of people, groups and the organisation, sealed in the store. A running gateway uses them within seconds. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text as readText } from 'node:stream/consumers'
import type { Command } from 'commander'
import { systemClock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { ownerText, type CredentialOwner } from '../../identity/vault/stored-credentials.ts'
import { listStoredCredentials, removeStoredCredential, storeCredential } from '../../models/storing-credentials.ts'
import { Upstreams } from '../../models/upstreams.ts'
import { noteAct } from '../noting-act.ts'
import { fail, print, table } from '../output.ts'
import { configOption, jsonOption } from '../shared-options.ts'
import { withVault } from '../with-vault.ts'

interface OwnerOptions {
  readonly config: string
  readonly json?: boolean
  readonly for?: string
  readonly group?: string
  readonly organisation?: boolean
}

interface AddOptions extends OwnerOptions {
  readonly upstream: string
  readonly kind: 'secret' | 'aws' | 'google'
  readonly model?: string
  readonly test: boolean
}

export function addCredentials(program: Command): void {
  const credentials = program.command('credentials').description('store provider credentials of people, groups and the organisation')
  withOwner(credentials.command('add'))
    .description('store a credential, read from standard input; it is tried first')
    .requiredOption('--upstream <name>', 'upstream it is for')
    .option(
      '--kind <kind>',
      '`secret`; `aws`: a JSON object with access_key_id and secret_access_key; `google`: the file of a service account',
      'secret',
    )
    .option('--model <name>', 'model to ask with it; costs a few tokens')
    .option('--no-test', 'store it without trying it')
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward credentials add --for alice@acme.example --upstream openai < key.txt\n  $ turnward credentials add --group support --upstream bedrock --kind aws < keys.json',
    )
    .action(add)
  withOwner(credentials.command('list'))
    .description('list what is stored; the credentials themselves are not shown')
    .addHelpText('after', '\nExample:\n  $ turnward credentials list --for alice@acme.example')
    .action(list)
  withOwner(credentials.command('remove'))
    .description('remove a credential; calls go on with the next one in the order within seconds')
    .requiredOption('--upstream <name>', 'upstream it is for')
    .addHelpText('after', '\nExample:\n  $ turnward credentials remove --for alice@acme.example --upstream openai')
    .action(remove)
  credentials
    .command('rewrap')
    .description('seal every secret of the vault with the current key, after `identity.vault` has got another one')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward credentials rewrap')
    .action(rewrap)
}

function withOwner(command: Command): Command {
  return command
    .option('--for <person>', 'the person whose it is: the id of a principal')
    .option('--group <name>', 'the group whose it is')
    .option('--organisation', 'for everybody who has none')
    .addOption(configOption())
    .addOption(jsonOption())
}

async function add(options: AddOptions): Promise<void> {
  const upstreams = new Upstreams()
  try {
    const owner = requireOwner(options)
    await withVault(options.config, async (vault, snapshot, store) => {
      const subject = textOf(ownerText(owner))
      const reason = `Stores a credential of ${subject} for ${options.upstream}.`
      const stored = await storeCredential({ vault, upstreams, clock: systemClock }, snapshot, {
        owner,
        upstream: options.upstream,
        credential: credentialOf(options.kind, await readSecret()),
        model: options.model,
        isUntested: !options.test,
        beforeStoring: () => noteAct(store, { verb: 'turnward credentials', act: 'credentials.store', subject, reason }),
      })
      const tried = stored.test === undefined ? 'It was not tried.' : `It was tried: ${stored.test.detail}.`
      print(options, stored, `Stored ${stored.id} for ${textOf(stored.owner)} at ${stored.upstream}. ${tried}`)
    })
  } catch (error) {
    fail(options, error)
  } finally {
    await upstreams.close()
  }
}

async function list(options: OwnerOptions): Promise<void> {
  try {
    await withVault(options.config, async (vault) => {
      const all = await listStoredCredentials(vault, ownerOf(options))
      const rows = all.map(({ id, owner, upstream, changed }) => [id, textOf(owner), upstream, new Date(changed).toISOString()])
      const shown =
        all.length === 0
          ? 'None stored yet: `turnward credentials add --for <person> --upstream <name>`.'
          : table([['ID', 'OWNER', 'UPSTREAM', 'CHANGED'], ...rows])
      print(options, { credentials: all }, shown)
    })
  } catch (error) {
    fail(options, error)
  }
}

async function remove(options: OwnerOptions & { readonly upstream: string }): Promise<void> {
  try {
    const owner = requireOwner(options)
    await withVault(options.config, async (vault, _snapshot, store) => {
      const subject = textOf(ownerText(owner))
      const reason = `Removes the credential of ${subject} for ${options.upstream}.`
      await noteAct(store, { verb: 'turnward credentials', act: 'credentials.remove', subject, reason })
      if (!(await removeStoredCredential(vault, owner, options.upstream)))
        throw new TurnwardError('request.invalid', {
          subject: options.upstream,
          why: 'none is stored for it',
          fix: 'See `turnward credentials list`.',
        })
      print(options, { removed: options.upstream }, `Removed the credential for ${options.upstream}.`)
    })
  } catch (error) {
    fail(options, error)
  }
}

async function rewrap(options: { readonly config: string; readonly json?: boolean }): Promise<void> {
  try {
    await withVault(options.config, async (vault, _snapshot, store) => {
      const reason = 'Seals every secret with the current key of the vault.'
      await noteAct(store, { verb: 'turnward credentials', act: 'credentials.rewrap', subject: 'the vault', reason })
      const { rewrapped, current, lost } = await vault.rewrap()
      const missing =
        lost.length === 0
          ? ''
          : `\n${lost.length} cannot be opened; they need: ${[...new Set(lost.map(({ sealedWith }) => sealedWith))].join(', ')}.`
      print(options, { rewrapped, current, lost }, `${rewrapped} sealed with the current key; ${current} were already.${missing}`)
      if (lost.length > 0) process.exitCode = 1
    })
  } catch (error) {
    fail(options, error)
  }
}

function ownerOf({ for: person, group, organisation }: OwnerOptions): CredentialOwner | undefined {
  const owners = [person, group, organisation].filter((given) => given !== undefined)
  if (owners.length > 1) throw new TurnwardError('request.invalid', { why: 'give one of `--for`, `--group` and `--organisation`' })
  if (person !== undefined) return { person }
  if (group !== undefined) return { group }
  return organisation === true ? 'organisation' : undefined
}

function requireOwner(options: OwnerOptions): CredentialOwner {
  const owner = ownerOf(options)
  if (owner === undefined) throw new TurnwardError('request.invalid', { why: 'say whose it is: `--for`, `--group` or `--organisation`' })
  return owner
}

/** One line from a terminal, which does not show it; everything from a pipe. */
async function readSecret(): Promise<string> {
  if (!process.stdin.isTTY) return (await readText(process.stdin)).trim()
  process.stderr.write('Credential (it is not shown): ')
  const terminal = createInterface({ input: process.stdin, output: nowhere(), terminal: true })
  try {
    return (await terminal.question('')).trim()
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}

function credentialOf(kind: string, text: string): unknown {
  if (kind === 'secret') return { secret: text }
  if (kind === 'google') return { google: { service_account: text } }
  if (kind !== 'aws') throw new TurnwardError('request.invalid', { subject: '--kind', why: 'use `secret`, `aws` or `google`' })
  try {
    return { aws: JSON.parse(text) as unknown }
  } catch {
    throw new TurnwardError('request.invalid', {
      subject: 'standard input',
      why: 'it is not a JSON object with `access_key_id` and `secret_access_key`',
    })
  }
}

function textOf(owner: string): string {
  return owner === '' ? 'the organisation' : owner
}
