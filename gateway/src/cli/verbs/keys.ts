/** `turnward keys`: virtual keys in the store of a configuration. Works while the gateway runs; a new or revoked key counts within a second. */
import type { Command } from 'commander'
import { keyGrantsSchema, keyScopesSchema } from '@turnward/contract/config/identity/key-limits'
import { withinOf } from '../../config/key-within.ts'
import { loadConfig } from '../../config/load.ts'
import { systemClock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import type { Scope, Within } from '../../core/principal.ts'
import { expiryOf, overlapOf } from '../../identity/key-expiry.ts'
import { createKeyService, type KeyInfo, type KeyService } from '../../identity/key-service.ts'
import { openStore, type StorePlace } from '../../store/store.ts'
import type { NotedAct } from '../../store/acts.ts'
import { noteAct } from '../noting-act.ts'
import { fail, print, table } from '../output.ts'
import { openingSettingsOf, storePlaceAt, storePlaceOf } from '../places.ts'
import { configOption, jsonOption } from '../shared-options.ts'

interface KeysOptions {
  readonly config: string
  readonly json?: boolean
  readonly principal?: string
  readonly consumer?: string
  readonly actor?: string
  readonly expires?: string
  readonly credential?: readonly string[]
  readonly scopes?: string
  readonly models?: readonly string[]
  readonly gateways?: readonly string[]
  readonly servers?: readonly string[]
  readonly tools?: readonly string[]
  readonly overlap?: string
}

export function addKeys(program: Command): void {
  const keys = program.command('keys').description('create, list, rotate and revoke virtual keys')
  keys
    .command('create')
    .description('create a key; it is shown once')
    .requiredOption(
      '--principal <name>',
      'principal the key is for and who owns it: declared in the configuration, or a person that is known',
    )
    .option('--consumer <name>', 'application that uses the key')
    .option('--actor <name>', 'agent that acts for the principal')
    .option('--expires <when>', 'ISO date, or a span: 12h, 30d', '30d')
    .option('--credential <upstream=credential...>', 'provider credential to use for an upstream')
    .option('--scopes <list>', 'what it is good for: models, mcp, admin; without it models,mcp')
    .option('--models <pattern...>', 'models it may use at most, of those its principal may')
    .option('--gateways <pattern...>', 'MCP gateways it may use at most')
    .option('--servers <name...>', 'MCP servers whose tools, resources and prompts it may use at most')
    .option('--tools <pattern...>', 'tools it may use at most')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward keys create --principal alice --consumer laptop --expires 90d\n  $ turnward keys create --principal ci --expires never --json\n  $ turnward keys create --principal alice --scopes mcp --servers jira',
    )
    .action(create)
  keys
    .command('list')
    .description('list keys; the keys themselves are not kept')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward keys list')
    .action(list)
  keys
    .command('show')
    .description('show what a key is for and may do')
    .argument('<key>', 'id, shown prefix, or the key itself')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward keys show tw_8fKq2a')
    .action(show)
  keys
    .command('rotate')
    .description('give a key a new secret; it is shown once')
    .argument('<key>', 'id, shown prefix, or the key itself')
    .option('--overlap <span>', 'how long the old secret stays good: 30m, 24h, 7d, or 0', '24h')
    .option('--expires <when>', 'ISO date, a span, or never; without it as before')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward keys rotate tw_8fKq2a --overlap 24h')
    .action(rotate)
  keys
    .command('revoke')
    .description('revoke a key; it is refused within a second')
    .argument('<key>', 'id or shown prefix')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward keys revoke tw_8fKq2a')
    .action(revoke)
}

async function create(options: KeysOptions): Promise<void> {
  try {
    const snapshot = await loadConfig(options.config, process.env)
    await withKeys(storePlaceOf(openingSettingsOf(snapshot)), async (keys, note) => {
      const principal = options.principal ?? ''
      const act = { act: 'keys.create', subject: `keys of ${principal}`, reason: `Makes a key for ${principal}${scopesText(options)}.` }
      const made = await keys.create(
        {
          principal,
          consumer: options.consumer,
          actor: options.actor,
          expires: expiryOf(options.expires ?? '30d', systemClock.now(), '--expires'),
          credentials: credentialsOf(options.credential ?? []),
          scopes: scopesOf(options.scopes),
          within: narrowedTo(options),
          beforeStoring: () => note(act),
        },
        snapshot,
      )
      print(options, made, `${made.key}\n\nShown once. Id ${made.id}, for ${made.principal}, ${expiryText(made)}.\n${limitsText(made)}`)
    })
  } catch (error) {
    fail(options, error)
  }
}

async function list(options: KeysOptions): Promise<void> {
  try {
    await withKeys(await storePlaceAt(options.config), async (keys) => {
      const all = await keys.list()
      const rows = all.map((key) => [
        key.id,
        `${key.prefix}…`,
        key.principal,
        key.consumer ?? '-',
        key.actor ?? '-',
        key.status,
        expiryText(key),
        key.lastUsed === null ? 'never' : minuteText(key.lastUsed),
        shortLimits(key),
      ])
      const text =
        all.length === 0
          ? 'No keys yet: `turnward keys create --principal <name>`.'
          : table([['ID', 'KEY', 'PRINCIPAL', 'CONSUMER', 'ACTOR', 'STATUS', 'EXPIRY', 'LAST USED', 'LIMITS'], ...rows])
      print(options, { keys: all }, text)
    })
  } catch (error) {
    fail(options, error)
  }
}

async function show(key: string, options: KeysOptions): Promise<void> {
  try {
    await withKeys(await storePlaceAt(options.config), async (keys) => {
      const info = await keys.show(key)
      const lines = [
        `${info.id} (${info.prefix}…) of ${info.principal}: ${info.status}, ${expiryText(info)}`,
        `consumer ${info.consumer ?? '-'}, actor ${info.actor ?? '-'}`,
        `made ${minuteText(info.created)}, last used ${info.lastUsed === null ? 'never' : minuteText(info.lastUsed)}`,
        ...(info.previousUntil === null ? [] : [`the secret it had before is good until ${minuteText(info.previousUntil)}`]),
        limitsText(info),
      ]
      print(options, info, lines.join('\n'))
    })
  } catch (error) {
    fail(options, error)
  }
}

async function rotate(key: string, options: KeysOptions): Promise<void> {
  try {
    await withKeys(await storePlaceAt(options.config), async (keys, note) => {
      const { id, principal } = await keys.show(key)
      const overlapMs = overlapOf(options.overlap ?? '24h', '--overlap')
      const expires = options.expires === undefined ? undefined : (expiryOf(options.expires, systemClock.now(), '--expires') ?? null)
      const act = { act: 'keys.rotate', subject: `keys of ${principal}`, reason: `Gives key ${id} a new secret.` }
      const made = await keys.rotate(key, { overlapMs, expires, beforeStoring: () => note(act) })
      const old = made.previousUntil === null ? 'no longer good' : `good until ${minuteText(made.previousUntil)}`
      print(
        options,
        made,
        `${made.key}\n\nShown once. Id ${made.id}, for ${made.principal}, ${expiryText(made)}. The secret it had before is ${old}.`,
      )
    })
  } catch (error) {
    fail(options, error)
  }
}

async function revoke(key: string, options: KeysOptions): Promise<void> {
  try {
    await withKeys(await storePlaceAt(options.config), async (keys, note) => {
      const { id, principal } = await keys.show(key)
      await note({ act: 'keys.revoke', subject: `keys of ${principal}`, reason: `Revokes key ${id}.` })
      const revoked = await keys.revoke(key)
      print(options, revoked, `Revoked ${revoked.id} (${revoked.prefix}…) of ${revoked.principal}.`)
    })
  } catch (error) {
    fail(options, error)
  }
}

type Note = (act: Pick<NotedAct, 'act' | 'subject' | 'reason'>) => Promise<void>

async function withKeys(place: StorePlace, work: (keys: KeyService, note: Note) => Promise<void>): Promise<void> {
  const store = await openStore(place)
  try {
    await work(createKeyService({ store, clock: systemClock }), (act) => noteAct(store, { ...act, verb: 'turnward keys' }))
  } finally {
    await store.close()
  }
}

function expiryText(key: Pick<KeyInfo, 'expires'>): string {
  return key.expires === null ? 'never expires' : `expires ${new Date(key.expires).toISOString()}`
}

function scopesText({ scopes }: KeysOptions): string {
  return scopesOf(scopes)?.includes('admin') === true ? ' that is good for administering' : ''
}

function credentialsOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [upstream, credential, more] = pair.split('=')
      if (upstream === undefined || credential === undefined || more !== undefined) {
        throw new TurnwardError('request.invalid', { subject: '--credential', why: 'write `upstream=credential`' })
      }
      return [upstream, credential]
    }),
  )
}

function scopesOf(text: string | undefined): readonly Scope[] | undefined {
  if (text === undefined) return undefined
  const scopes = keyScopesSchema.safeParse(text.split(',').map((scope) => scope.trim()))
  if (!scopes.success)
    throw new TurnwardError('request.invalid', { subject: '--scopes', why: 'they are `models`, `mcp` and `admin`, with commas' })
  return scopes.data
}

function narrowedTo({ models, gateways, servers, tools }: KeysOptions): Within | undefined {
  if ((models ?? gateways ?? servers ?? tools) === undefined) return undefined
  const grants = keyGrantsSchema.safeParse({ models, gateways, servers, tools })
  if (grants.success) return withinOf(grants.data)
  const [issue] = grants.error.issues
  throw new TurnwardError('request.invalid', { subject: `--${String(issue?.path[0] ?? 'tools')}`, why: issue?.message })
}

const kinds = ['models', 'gateways', 'tools'] as const

/** What a key can do, a line for each kind. */
function limitsText({ principal, scopes, within }: KeyInfo): string {
  const good = `good for ${(scopes ?? ['models', 'mcp']).join(', ')}`
  return [good, ...kinds.map((kind) => `${kind}: ${within?.[kind]?.join(', ') ?? `all that ${principal} may use`}`)].join('\n')
}

/** The same in a few words; `-` for a key that can do what its owner can. */
function shortLimits({ scopes, within }: KeyInfo): string {
  const narrowed = kinds.filter((kind) => (within?.[kind] ?? null) !== null)
  const words = [
    ...(scopes === null ? [] : [`only ${scopes.join(', ')}`]),
    ...(narrowed.length === 0 ? [] : [`some ${narrowed.join(', ')}`]),
  ]
  return words.length === 0 ? '-' : words.join('; ')
}

function minuteText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16)}Z`
}
