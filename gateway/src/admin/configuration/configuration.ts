/**
 * Changing objects of the configuration over the API. A change is compiled together with the file as it is now; only what compiles is
 * written, as one revision, and runs in this process before it is answered. What two people change at a time is changed by one of them.
 */
import type { DecisionLog } from '../../audit/decision-log.ts'
import { ConfigError } from '../../config/problems.ts'
import type { ObjectValue } from '../../config/managed/kinds.ts'
import {
  changesBetween,
  consoleOrigin,
  managedText,
  noObjects,
  objectIn,
  objectText,
  parseManagedObjects,
  withObject,
  type ManagedObjects,
  type ObjectChange,
  type ObjectName,
} from '../../config/managed/managed-objects.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import type { RevisionFacts, StoredRevision } from '../../store/config-revisions.ts'
import type { Store } from '../../store/store.ts'
import { etagOf, requireTag, revisionTag, type Preconditions } from './preconditions.ts'
import { placedProblems, refusalOf, type PlacedProblem } from './placed-problems.ts'
import { recordRevisions } from './recording-revisions.ts'

/** The configuration, to whoever may change it. */
export interface ChangeableConfig {
  /** What the configuration would be with these objects, and the file as it is now. */
  attempt(text: string): Promise<Snapshot | ConfigError>
  /** Reads everything again, in all processes that share this one's listener. True when what runs is what was read. */
  reload(reason: string): Promise<boolean>
}

export interface ConfigurationParts {
  readonly store: Pick<Store, 'configRevisions'>
  readonly log: Pick<DecisionLog, 'appendDurably' | 'health'>
  readonly config: ChangeableConfig
  readonly snapshot: () => Snapshot
  readonly clock: Clock
}

/** Who changes something, why, and on what condition. */
export interface Change extends Preconditions {
  readonly by: string
  readonly reason: string | undefined
  /** Only looks what would happen. */
  readonly isTrial: boolean
}

export interface Outcome {
  readonly revision: number
  readonly applied: boolean
  readonly changes: readonly ObjectChange[]
  readonly problems: readonly PlacedProblem[]
}

export interface Head {
  readonly revision: number
  readonly objects: ManagedObjects
}

export interface Configuration {
  /** All objects that are managed here, as the newest revision has them. */
  head(): Promise<Head>
  /** Puts an object, or takes it away where it is undefined. Rejects with `config.*` or `request.invalid`. */
  change(name: ObjectName, value: ObjectValue | undefined, change: Change): Promise<Outcome>
  /** All objects at once. `from`: the revision they were exported from. */
  apply(objects: ManagedObjects, from: number | undefined, change: Change): Promise<Outcome>
  rollback(revision: number, change: Change): Promise<Outcome>
  check(objects: ManagedObjects): Promise<readonly PlacedProblem[]>
  /** Rejects with `config.revision_not_found`. */
  revision(number: number): Promise<RevisionFacts & { readonly objects: ManagedObjects; readonly before: ManagedObjects | undefined }>
  revisions(before: number | undefined, most: number): Promise<readonly RevisionFacts[]>
}

/** How often a change of something else may come in between. */
const mostTries = 5

export function createConfiguration({
  store: { configRevisions: table },
  log,
  config,
  snapshot,
  clock,
}: ConfigurationParts): Configuration {
  // One at a time here: the second of two sees what the first has done.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <R>(work: () => Promise<R>): Promise<R> => {
    const done = last.then(work)
    last = done.catch(() => undefined)
    return done
  }

  const head = async (): Promise<Head> => {
    const newest = await table.newest()
    return newest === undefined ? { revision: 0, objects: noObjects } : headOf(newest)
  }
  const check = async (objects: ManagedObjects): Promise<readonly PlacedProblem[]> => {
    const text = managedText({ revision: 0, leftOut: [], objects })
    const outcome = await config.attempt(text)
    return outcome instanceof ConfigError ? placedProblems(outcome, text) : []
  }
  const write = (
    { by, reason, isTrial }: Change,
    summary: string,
    next: (now: Head) => Promise<ManagedObjects> | ManagedObjects,
  ): Promise<Outcome> =>
    inTurn(async () => {
      for (let tries = 0; tries < mostTries; tries++) {
        const now = await head()
        const objects = await next(now)
        const changes = changesBetween(now.objects, objects)
        if (changes.length === 0) return { revision: now.revision, applied: false, changes, problems: [] }
        const problems = await check(objects)
        if (isTrial) return { revision: now.revision, applied: false, changes, problems }
        if (problems.length > 0) throw refusalOf(problems)
        const unwritable = log.health()
        if (unwritable !== undefined) throw new TurnwardError('audit.unwritable', { why: unwritable })
        const revision = now.revision + 1
        const row = { revision, made: clock.now(), by, reason: reason ?? null, summary, objects: JSON.stringify(objects) }
        if (!(await table.add(row))) continue
        // It is done; what could not be put on record is by whoever looks for it next.
        await recordRevisions(table, log, { time: clock.now(), revision: snapshot().revision }).catch(() => undefined)
        await config.reload(`revision ${revision}`)
        return { revision, applied: true, changes, problems }
      }
      throw new TurnwardError('config.conflict')
    })

  return {
    head,
    check,
    change(name, value, change) {
      return write(change, `${value === undefined ? 'delete' : 'put'} ${objectText(name)}`, ({ objects }) => {
        const there = objectIn(objects, name)
        if (there === undefined) requireNotOfFile(name, snapshot())
        if (there === undefined && value === undefined) throw notFound(name)
        requireTag(there && etagOf(there), change, objectText(name))
        return withObject(objects, name, value)
      })
    },
    apply(objects, from, change) {
      return write(change, 'apply', ({ revision }) => {
        if (from !== undefined && from !== revision)
          throw new TurnwardError('config.changed', { subject: 'objects', why: `they are of revision ${from}, and ${revision} is there` })
        if (from === undefined) requireTag(revision === 0 ? undefined : revisionTag(revision), change, 'objects')
        return objects
      })
    },
    rollback(number, change) {
      return write(change, `rollback to ${number}`, async ({ revision }) => {
        if (change.ifMatch !== undefined || change.ifNoneMatch !== undefined) requireTag(revisionTag(revision), change, 'objects')
        if (number === 0) return noObjects
        return headOf(await found(table.find(number), number)).objects
      })
    },
    async revision(number) {
      const { objects, ...facts } = await found(table.find(number), number)
      const before = await table.find(number - 1)
      return { ...facts, objects: parseManagedObjects(objects), before: number === 1 ? noObjects : before && headOf(before).objects }
    },
    revisions: (before, most) => table.list(before, most),
  }
}

function headOf({ revision, objects }: StoredRevision): Head {
  return { revision, objects: parseManagedObjects(objects) }
}

async function found(looking: Promise<StoredRevision | undefined>, number: number): Promise<StoredRevision> {
  const revision = await looking
  if (revision === undefined) throw new TurnwardError('config.revision_not_found', { subject: String(number) })
  return revision
}

/** Throws `config.owned_by_file` with the place. */
function requireNotOfFile(name: ObjectName, { objects }: Snapshot): void {
  const origin = objects.get(name.kind)?.get(name.name)?.origin
  if (origin === undefined || origin.source === consoleOrigin) return
  throw new TurnwardError('config.owned_by_file', {
    subject: objectText(name),
    why: `it is in ${origin.source}:${origin.line}:${origin.column}`,
  })
}

export function notFound(name: ObjectName): TurnwardError {
  return new TurnwardError('config.object_not_found', { subject: objectText(name).slice(0, 300) })
}
