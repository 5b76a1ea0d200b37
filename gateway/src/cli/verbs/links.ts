/**
 * `turnward links`: what people have connected at MCP servers. Works on the store, while gateways run or not; a link that is
 * removed is not used by the next call.
 */
import type { Command } from 'commander'
import { publicUrl } from '../../config/public-url.ts'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import { systemClock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { silentLogger } from '../../core/logger.ts'
import { endLink, type RevokeTokens } from '../../identity/on-behalf/ending-link.ts'
import { registrationStore } from '../../identity/on-behalf/kept-registrations.ts'
import { linkPlace, secretPlace } from '../../identity/on-behalf/link.ts'
import { personalAuthOf } from '../../identity/on-behalf/personal-auth.ts'
import { StoredSecrets } from '../../identity/on-behalf/stored-secrets.ts'
import { AuthorizationCode } from '../../identity/server-auth/authorization-code.ts'
import { clientDocumentPath } from '../../identity/server-auth/client-document.ts'
import { ClientRegistrations } from '../../identity/server-auth/client-registration.ts'
import type { Vault } from '../../identity/vault/vault.ts'
import type { Store } from '../../store/store.ts'
import { exitCodes } from '../exit-codes.ts'
import { noteAct } from '../noting-act.ts'
import { fail, print, table } from '../output.ts'
import { configOption, jsonOption } from '../shared-options.ts'
import { withVault } from '../with-vault.ts'

interface LinksOptions {
  readonly config: string
  readonly json?: boolean
  readonly person?: string
  readonly server?: string
}

export function addLinks(program: Command): void {
  const links = program.command('links').description('accounts and secrets that people have connected at MCP servers')
  links
    .command('list')
    .description('list who has connected what; tokens and secrets are not shown')
    .option('--person <name>', 'of this person only')
    .option('--server <name>', 'at this MCP server only')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward links list --server jira')
    .action(list)
  links
    .command('remove')
    .description('forget what a person has connected; the next call asks for it again')
    .argument('<person>', 'principal')
    .argument('<server>', 'MCP server')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward links remove alice jira\n\nExit code 5 when there was nothing.')
    .action(remove)
  links
    .command('set')
    .description('store a secret of a person for a server with `auth: { kind: person_header }` or `person_secret`')
    .argument('<person>', 'principal')
    .argument('<server>', 'MCP server')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nThe secret is read from standard input.\n\nExample:\n  $ turnward links set ci crm < crm-key.txt')
    .action(set)
}

const kinds: ReadonlySet<string> = new Set([linkPlace('', '').kind, secretPlace('', '').kind])

async function list(options: LinksOptions): Promise<void> {
  await inVault(options, async (vault) => {
    const all = (await vault.list(options.person === undefined ? {} : { owner: options.person }))
      .filter(({ kind, name }) => kinds.has(kind) && (options.server === undefined || name === options.server))
      .map(({ kind, owner, name, created, changed }) => ({
        person: owner,
        server: name,
        kind: kind === 'link' ? 'account' : 'secret',
        created: new Date(created).toISOString(),
        changed: new Date(changed).toISOString(),
      }))
    const rows = all.map(({ person, server, kind, created, changed }) => [person, server, kind, created, changed])
    const text = all.length === 0 ? 'Nobody has connected anything.' : table([['PERSON', 'SERVER', 'KIND', 'SINCE', 'CHANGED'], ...rows])
    print(options, { links: all }, text)
  })
}

async function remove(person: string, name: string, options: LinksOptions): Promise<void> {
  await inVault(options, async (vault, snapshot, store) => {
    const reason = `Forgets what ${person} has connected at ${name}.`
    await noteAct(store, { verb: 'turnward links', act: 'links.remove', subject: `${person} at ${name}`, reason })
    const server = snapshot.servers.get(name)
    // Of a server that is not configured any more nobody knows how its authorization server is reached.
    const ended =
      server === undefined ? 'none' : await endLink({ vault, revoke: revokingFor(vault, snapshot), logger: silentLogger }, person, server)
    const removed = await Promise.all([linkPlace(person, name), secretPlace(person, name)].map((place) => vault.remove(place)))
    const isRemoved = ended !== 'none' || removed.includes(true)
    if (!isRemoved) process.exitCode = exitCodes.negative
    const said = ended === 'taken back' ? ' Its authorization server took the tokens back.' : ''
    print(
      options,
      { person, server: name, removed: isRemoved, takenBack: ended === 'taken back' },
      isRemoved ? `Removed what ${person} had connected at ${name}.${said}` : `${person} has nothing connected at ${name}.`,
    )
  })
}

function revokingFor(vault: Vault, snapshot: Snapshot): RevokeTokens {
  const engine = new AuthorizationCode({
    registrations: new ClientRegistrations(registrationStore(vault), systemClock),
    documentUrl: () => `${publicUrl(snapshot)}${clientDocumentPath}`,
    challengeOf: () => undefined,
    clock: systemClock,
  })
  return (...asked) => engine.revoke(...asked)
}

async function set(person: string, server: string, options: LinksOptions): Promise<void> {
  await inVault(options, async (vault, snapshot, store) => {
    const found = secretServer(snapshot, server)
    const parts: Buffer[] = []
    for await (const part of process.stdin) parts.push(part as Buffer)
    const reason = `Stores a secret of ${person} for ${server}.`
    await noteAct(store, { verb: 'turnward links', act: 'links.set', subject: `${person} at ${server}`, reason })
    await new StoredSecrets(vault, systemClock).keep(person, found, Buffer.concat(parts).toString('utf8'))
    print(options, { person, server }, `Stored the secret of ${person} for ${server}.`)
  })
}

function secretServer({ servers }: Snapshot, name: string): McpServer {
  const server = servers.get(name)
  const kind = server === undefined ? undefined : personalAuthOf(server)?.kind
  if (server !== undefined && kind !== undefined && kind !== 'user') return server
  throw new TurnwardError('request.invalid', {
    subject: name,
    why: server === undefined ? 'there is no such server' : 'people give it no secrets',
    fix: 'Name a server with `auth: { kind: person_header }` or `auth: { kind: person_secret }`.',
  })
}

async function inVault(options: LinksOptions, work: (vault: Vault, snapshot: Snapshot, store: Store) => Promise<void>): Promise<void> {
  await withVault(options.config, work).catch((error: unknown) => fail(options, error))
}
