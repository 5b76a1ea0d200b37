/** `turnward access`: who may use what, and which line says so. */
import { dirname } from 'node:path'
import { Option, type Command } from 'commander'
import { loadConfig } from '../../config/load.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import type { Principal, Scope, Within } from '../../core/principal.ts'
import { systemClock } from '../../core/clock.ts'
import { createKeyService } from '../../identity/key-service.ts'
import type { GrantKind } from '../../policy/grants.ts'
import type { StoredPerson } from '../../store/people.ts'
import { openStore } from '../../store/store.ts'
import { type AskedAccess, explainAccess, type ExplainedAccess, type Said } from '../access/explaining-access.ts'
import { exitCodes } from '../exit-codes.ts'
import { fail, print } from '../output.ts'
import { openingSettingsOf, storePlaceOf } from '../places.ts'
import { configOption, jsonOption } from '../shared-options.ts'

interface ExplainOptions {
  readonly config: string
  readonly json?: boolean
  readonly kind?: GrantKind
  readonly groups?: string
  readonly consumer?: string
  readonly actor?: string
  readonly issuer?: string
  readonly key?: string
}

export function addAccess(program: Command): void {
  const access = program.command('access').description('show who may use what, and which line says so')
  access
    .command('explain')
    .description('print the line that lets somebody use a tool, a model or a gateway, or keeps them from it, and what would change it')
    .argument('<principal>', 'id, or the address that an identity provider calls somebody by')
    .argument('<name>', 'a tool (`server__tool`), a model, or a gateway')
    .addOption(new Option('--kind <kind>', 'what the name is of').choices(['models', 'gateways', 'tools']))
    .option('--groups <names>', 'groups that a token says the principal is in, with commas')
    .option('--consumer <name>', 'application that the call comes through')
    .option('--actor <names>', 'agents that act for the principal, the one that calls first, with commas')
    .option('--issuer <name>', 'issuer that speaks for the principal')
    .option('--key <key>', 'key that the call is made with: id, shown prefix, or name in the configuration')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward access explain alice@acme.example slack__post_message --groups support\n\nExit code 5 when it may not be used.',
    )
    .action(explain)
}

async function explain(id: string, name: string, options: ExplainOptions): Promise<void> {
  try {
    const snapshot = await loadConfig(options.config, process.env)
    const asked = await askedAccess(snapshot, id, name, options)
    const explained = explainAccess(snapshot, asked, dirname(snapshot.files[0] ?? '.'))
    const { principal, consumer, actors, issuer } = asked.caller
    const who = { principal: principal.id, groups: principal.groups, consumer, actors, issuer, key: options.key ?? null }
    print(options, { ...who, kind: asked.kind, name, ...explained }, textOf(asked, explained))
    if (!explained.allowed) process.exitCode = exitCodes.negative
  } catch (error) {
    fail(options, error)
  }
}

async function askedAccess(snapshot: Snapshot, id: string, name: string, options: ExplainOptions): Promise<AskedAccess> {
  const { key, person } = await storedParts(snapshot, id, options.key)
  const principal = principalOf(snapshot, id, person, listOf(options.groups))
  if (key !== undefined && key.principal !== principal.id)
    throw new TurnwardError('request.invalid', {
      subject: '--key',
      why: `the key is for \`${key.principal}\``,
      fix: 'Ask for the principal of the key.',
    })
  const ofKey = key === undefined || key.actor === null ? [] : [key.actor]
  const actors = options.actor === undefined ? ofKey : listOf(options.actor)
  return {
    caller: {
      principal,
      key: key?.id ?? '',
      consumer: options.consumer ?? key?.consumer ?? null,
      actor: actors[0] ?? null,
      actors,
      issuer: options.issuer ?? null,
      ...(key === undefined || key.within === null ? {} : { within: key.within }),
    },
    scopes: key === undefined ? null : (key.scopes ?? ['models', 'mcp']),
    kind: options.kind ?? kindOf(snapshot, name),
    name,
  }
}

interface NamedKey {
  readonly id: string
  readonly principal: string
  readonly consumer: string | null
  readonly actor: string | null
  readonly scopes: readonly Scope[] | null
  readonly within: Within | null
}

interface StoredParts {
  readonly key: NamedKey | undefined
  /** What the store knows of somebody, where there may be people that no file declares. */
  readonly person: StoredPerson | undefined
}

async function storedParts(snapshot: Snapshot, id: string, key: string | undefined): Promise<StoredParts> {
  const configured = key === undefined ? undefined : snapshot.keys.get(key)
  const mayBeStored = snapshot.policy.directory.readers === undefined
  if (!mayBeStored && (key === undefined || configured !== undefined)) return { key: configured, person: undefined }
  const store = await openStore(storePlaceOf(openingSettingsOf(snapshot)))
  try {
    const stored =
      key === undefined || configured !== undefined ? configured : await createKeyService({ store, clock: systemClock }).show(key)
    return { key: stored, person: mayBeStored ? await store.people.find(declaredIn(snapshot, id)?.id ?? id) : undefined }
  } finally {
    await store.close()
  }
}

/** By the id or the address. */
function declaredIn({ principals }: Snapshot, id: string): Principal | undefined {
  const wanted = id.toLowerCase()
  return principals.get(id) ?? [...principals.values()].find(({ emails }) => emails.some((email) => email.toLowerCase() === wanted))
}

/** A declared principal, or one that is known or told only, with the groups that everybody says. */
function principalOf(snapshot: Snapshot, id: string, person: StoredPerson | undefined, more: readonly string[]): Principal {
  const declared = declaredIn(snapshot, id)
  const groups = [...new Set([...(declared?.groups ?? []), ...(person?.groups ?? []).map(({ group }) => group), ...more])]
  if (declared !== undefined) return { ...declared, groups }
  return { id, kind: person?.kind ?? 'human', groups, emails: person?.emails ?? (id.includes('@') ? [id] : []), credentials: new Map() }
}

function listOf(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** What a name most likely is of, when nobody says so. */
function kindOf({ routes, gateways, policy }: Snapshot, name: string): GrantKind {
  if (/__|^(?:resource|prompt):/.test(name)) return 'tools'
  if (routes.resolve(name) !== undefined) return 'models'
  if (gateways.has(name)) return 'gateways'
  return policy.contractOf(name) === undefined ? 'models' : 'tools'
}

const nouns: Readonly<Record<GrantKind, string>> = { models: 'model', gateways: 'gateway', tools: 'tool' }

function textOf({ caller, kind, name }: AskedAccess, { allowed, decides, besides, changes, next }: ExplainedAccess): string {
  const part = (title: string, said: readonly Said[]): readonly string[] =>
    said.length === 0 ? [] : [`${title}:`, ...said.map((one) => `  ${saidText(one)}`)]
  return [
    `${caller.principal.id} ${allowed ? 'may' : 'may not'} use ${nouns[kind]} ${name}.`,
    `  ${saidText(decides)}`,
    ...part('besides', besides),
    ...part(allowed ? 'nearby' : 'what would change it', changes),
    ...part('what may refuse a call all the same', next),
  ].join('\n')
}

function saidText({ source, place, why }: Said): string {
  return `${source}${place === null ? '' : ` (${place})`}: ${why}`
}
