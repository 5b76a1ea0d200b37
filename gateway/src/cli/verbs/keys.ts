/** `turnward keys`: virtual keys in the store of a configuration. Works while the gateway runs; a new or revoked key counts within a second. */
import type { Command } from 'commander'
import { loadConfig } from '../../config/load.ts'
import { systemClock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { createKeyService, type KeyInfo, type KeyService } from '../../identity/key-service.ts'
import { openStore, type StorePlace } from '../../store/store.ts'
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
}

export function addKeys(program: Command): void {
  const keys = program.command('keys').description('create, list and revoke virtual keys')
  keys
    .command('create')
    .description('create a key; it is shown once')
    .requiredOption('--principal <name>', 'principal the key is for, as declared in the configuration')
    .option('--consumer <name>', 'application that uses the key')
    .option('--actor <name>', 'agent that acts for the principal')
    .option('--expires <when>', 'ISO date, or a span: 12h, 30d', '30d')
    .option('--credential <upstream=credential...>', 'provider credential to use for an upstream')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward keys create --principal alice --consumer laptop --expires 90d\n  $ turnward keys create --principal ci --expires never --json',
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
    await withKeys(storePlaceOf(openingSettingsOf(snapshot)), async (keys) => {
      const made = await keys.create(
        {
          principal: options.principal ?? '',
          consumer: options.consumer,
          actor: options.actor,
          expires: expiryOf(options.expires ?? '30d'),
          credentials: credentialsOf(options.credential ?? []),
        },
        snapshot,
      )
      print(options, made, `${made.key}\n\nShown once. Id ${made.id}, for ${made.principal}, ${expiryText(made)}.`)
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
      ])
      const text =
        all.length === 0
          ? 'No keys yet: `turnward keys create --principal <name>`.'
          : table([['ID', 'KEY', 'PRINCIPAL', 'CONSUMER', 'ACTOR', 'STATUS', 'EXPIRY'], ...rows])
      print(options, { keys: all }, text)
    })
  } catch (error) {
    fail(options, error)
  }
}

async function revoke(key: string, options: KeysOptions): Promise<void> {
  try {
    await withKeys(await storePlaceAt(options.config), async (keys) => {
      const revoked = await keys.revoke(key)
      print(options, revoked, `Revoked ${revoked.id} (${revoked.prefix}…) of ${revoked.principal}.`)
    })
  } catch (error) {
    fail(options, error)
  }
}

async function withKeys(place: StorePlace, work: (keys: KeyService) => Promise<void>): Promise<void> {
  const store = await openStore(place)
  try {
    await work(createKeyService({ store, clock: systemClock }))
  } finally {
    await store.close()
  }
}

const spanUnits: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 }

function expiryOf(text: string): number | undefined {
  if (text === 'never') return undefined
  const span = /^(\d{1,5})([hd])$/.exec(text)
  const at = span === null ? Date.parse(text) : systemClock.now() + Number(span[1]) * (spanUnits[span[2] ?? 'd'] ?? 0)
  if (Number.isNaN(at))
    throw new TurnwardError('request.invalid', { subject: '--expires', why: 'use an ISO date, a span such as 12h or 30d, or `never`' })
  return at
}

function expiryText(key: Pick<KeyInfo, 'expires'>): string {
  return key.expires === null ? 'never expires' : `expires ${new Date(key.expires).toISOString()}`
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
