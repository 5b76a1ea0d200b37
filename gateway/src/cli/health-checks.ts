/** What `/api/health` says of what everything else stands on: what the process knows by itself, without asking anybody. Pure. */
import type { Checkpoint } from '../audit/checkpoint.ts'
import type { Snapshot } from '../config/snapshot.ts'
import type { IssuerStatus } from '../identity/ways/token/issuer-keys.ts'
import type { ServerStatus } from '../tools/catalogue.ts'
import type { Finding } from './doctor/finding.ts'
import type { WorkerCount } from './workers/whole.ts'

export interface HealthFacts {
  /** Unix milliseconds. */
  readonly now: number
  readonly isDraining: boolean
  /** Why the log, the store and the state cannot be used; undefined while they can. */
  readonly log: string | undefined
  readonly store: string | undefined
  readonly state: string | undefined
  readonly kinds: { readonly store: 'sqlite' | 'postgres'; readonly state: 'memory' | 'valkey' }
  /** Undefined where none was written, `unreadable` where that cannot be seen. */
  readonly checkpoint: Checkpoint | undefined | 'unreadable'
  /** Until when sessions begin as unknown, in Unix milliseconds. */
  readonly unknownUntil: number | undefined
  /** Changes of the command line that are not on record; undefined where that cannot be seen. */
  readonly waiting: number | undefined
  /** Of the data folder; undefined where that cannot be seen. */
  readonly disk: { readonly freeBytes: number; readonly allBytes: number } | undefined
  /** Where the configuration was refused. */
  readonly config: string | undefined
  readonly managed: Snapshot['managed']
  /** Unix milliseconds; undefined without TLS. */
  readonly certificateExpires: number | undefined
  readonly issuers: readonly IssuerStatus[]
  /** Where several processes share a listener. */
  readonly workers: WorkerCount | undefined
  readonly servers: readonly ServerStatus[]
  /** Those that are passed over, with why. */
  readonly upstreams: { readonly all: number; readonly troubled: Readonly<Record<string, string>> }
}

const dayMs = 86_400_000
const gibibyte = 2 ** 30

/** The same in the order of what stands on what. */
export function healthChecks(facts: HealthFacts): readonly Finding[] {
  return [
    ...(facts.isDraining ? [warning('draining', 'it takes no new work and ends what is under way')] : []),
    facts.log === undefined
      ? ok('decision log', 'it is written')
      : problem(
          'decision log',
          facts.log,
          'Free disk space, make the data folder writable, or bring the database back: no governed call goes on until then.',
        ),
    checkpointCheck(facts),
    ...waitingCheck(facts),
    facts.store === undefined
      ? ok('store', storeNames[facts.kinds.store])
      : problem('store', facts.store, 'Bring the database back; who is known already is served meanwhile.'),
    facts.state === undefined
      ? ok('state', stateNames[facts.kinds.state])
      : problem('state', facts.state, 'Bring Valkey back: no governed call goes on until then.'),
    ...lossCheck(facts),
    diskCheck(facts),
    configCheck(facts),
    ...managedCheck(facts),
    ...certificateCheck(facts),
    ...facts.issuers.map(issuerCheck),
    ...workerCheck(facts),
    ...serverChecks(facts),
    ...upstreamChecks(facts),
  ]
}

const storeNames = { sqlite: 'SQLite in the data folder', postgres: 'PostgreSQL answers' } as const
const stateNames = { memory: 'in the memory of this process, kept in the store', valkey: 'Valkey answers' } as const

function checkpointCheck({ checkpoint }: HealthFacts): Finding {
  const check = 'checkpoint'
  const fix = 'See that the data folder can be written; then `turnward audit verify`.'
  if (checkpoint === 'unreadable') return warning(check, 'the checkpoints of the log cannot be read', fix)
  if (checkpoint === undefined) return ok(check, 'none yet: the first is signed soon after the first record')
  const { seq, time } = checkpoint
  const detail = `record ${seq}, signed ${new Date(time).toISOString()}; \`turnward audit verify\` checks every record`
  return ok(check, detail)
}

function waitingCheck({ waiting }: HealthFacts): Finding[] {
  if (waiting === undefined)
    return [warning('administration', 'what the command line did and is not on record cannot be seen', 'Bring the store back.')]
  if (waiting === 0) return []
  return [
    warning(
      'administration',
      `${waiting} changes by the command line are not on record yet`,
      'They are within seconds, once the log can be written.',
    ),
  ]
}

function lossCheck({ unknownUntil, now }: HealthFacts): Finding[] {
  if (unknownUntil === undefined || unknownUntil <= now) return []
  const detail = `it was emptied: sessions begin as unknown until ${new Date(unknownUntil).toISOString()}`
  return [warning('sessions', detail, 'If no agent of before is at work: `turnward cluster reset-state --yes`.')]
}

function diskCheck({ disk }: HealthFacts): Finding {
  if (disk === undefined) return warning('disk', 'the space of the data folder cannot be seen', 'See that the folder is there.')
  const { freeBytes, allBytes } = disk
  const detail = `${(freeBytes / gibibyte).toFixed(1)} GiB free of ${(allBytes / gibibyte).toFixed(1)} where the data folder is`
  const fix = 'Free some: on a full disk no decision can be written, and no governed call goes on.'
  if (freeBytes < gibibyte / 4) return problem('disk', detail, fix)
  return freeBytes < gibibyte || freeBytes < allBytes / 20 ? warning('disk', detail, fix) : ok('disk', detail)
}

function configCheck({ config }: HealthFacts): Finding {
  if (config === undefined) return ok('configuration', 'what was read last runs')
  return warning('configuration', `what was read last was refused, and the one before runs: ${config}`, 'See `turnward check`.')
}

function managedCheck({ managed: { leftOut, holdsCalls } }: HealthFacts): Finding[] {
  if (leftOut.length === 0) return []
  const detail = `objects that were made over the API do not go with the file: ${leftOut.join(', ')}`
  const fix = 'Change them, or the file, so that both go together.'
  return [
    holdsCalls
      ? problem('managed objects', `${detail}. One restricts calls, so none goes on`, fix)
      : warning('managed objects', detail, fix),
  ]
}

function certificateCheck({ certificateExpires: expires, now }: HealthFacts): Finding[] {
  if (expires === undefined) return []
  const check = 'certificate'
  const detail = `that of the listener is good until ${new Date(expires).toISOString()}`
  const fix = 'Renew it; a new file is taken without a restart.'
  if (expires <= now) return [problem(check, `that of the listener expired ${new Date(expires).toISOString()}`, fix)]
  return [expires - now < 14 * dayMs ? warning(check, detail, fix) : ok(check, detail)]
}

function issuerCheck({ issuer, state, detail }: IssuerStatus): Finding {
  const check = `issuer ${issuer}`
  if (state === 'ready') return ok(check, 'its keys are known')
  if (state === 'unknown') return ok(check, 'nobody has needed its keys yet')
  const said = detail === undefined ? '' : `: ${detail}`
  return state === 'stale'
    ? warning(check, `it cannot be asked, and its last keys are used${said}`, 'See that it can be reached: `turnward doctor`.')
    : problem(check, `it cannot be asked: none of its tokens is taken${said}`, 'See that it can be reached: `turnward doctor`.')
}

function workerCheck({ workers }: HealthFacts): Finding[] {
  if (workers === undefined) return []
  const detail = `${workers.ready} of ${workers.wanted} processes answer`
  return [
    workers.ready < workers.wanted
      ? warning('workers', detail, 'One that ended is started again: its log says why it did.')
      : ok('workers', detail),
  ]
}

function serverChecks({ servers }: HealthFacts): Finding[] {
  if (servers.length === 0) return []
  const away = servers.filter(({ state }) => state !== 'ready' && state !== 'asleep')
  const up = `${servers.length - away.length} of ${servers.length} can be called`
  if (away.length === 0) return [ok('servers', up)]
  const which = away.map(({ server, state, detail }) => `${server}: ${detail ?? state}`).join('; ')
  return [warning('servers', `${up}. ${which}`, 'See `turnward servers logs NAME`.')]
}

function upstreamChecks({ upstreams: { all, troubled } }: HealthFacts): Finding[] {
  if (all === 0) return []
  const entries = Object.entries(troubled)
  if (entries.length === 0) return [ok('upstreams', `${all} of ${all} are used`)]
  return [
    warning('upstreams', entries.map(([name, why]) => `${name}: ${why}`).join('; '), 'See the page Upstreams, or `turnward upstreams`.'),
  ]
}

function ok(check: string, detail: string): Finding {
  return { check, level: 'ok', detail }
}

function warning(check: string, detail: string, fix?: string): Finding {
  return { check, level: 'warning', detail, ...(fix === undefined ? {} : { fix }) }
}

function problem(check: string, detail: string, fix: string): Finding {
  return { check, level: 'problem', detail, fix }
}
