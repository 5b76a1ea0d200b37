/**
 * The start of a gateway whose file was changed while it did not run, so that it no longer goes with the objects that were made over the
 * administration API. Those that do not go with it are left out; never is an older revision taken instead, which would bring back what
 * somebody has taken away. Where one that restricts calls is missing, no call goes on until somebody has mended it.
 */
import type { Logger } from '../../core/logger.ts'
import { ConfigError } from '../problems.ts'
import type { Snapshot } from '../snapshot.ts'
import { objectKind, restricts } from './kinds.ts'
import {
  consoleOrigin,
  managedText,
  noObjects,
  objectAtLine,
  objectIn,
  objectText,
  withoutObjects,
  changesBetween,
  type LeftOut,
  type ManagedObjects,
  type ObjectName,
} from './managed-objects.ts'
import type { ManagedRevision } from './managed-revisions.ts'

/** An object that is left out may be what another one needs. */
const mostRounds = 16

interface Loaded {
  readonly outcome: Snapshot | ConfigError
}

/** Loads the newest revision, or as much of it as goes with the file. `load`: with this text of the objects. */
export async function leavingOut<One extends Loaded>(
  { revision, objects }: ManagedRevision,
  load: (text: string) => Promise<One>,
  logger: Logger,
): Promise<One> {
  let left = objects
  let leftOut: readonly LeftOut[] = []
  for (let round = 0; ; round++) {
    const text = managedText({ revision, leftOut, objects: left })
    const loaded = await load(text)
    if (!(loaded.outcome instanceof ConfigError)) {
      tell(logger, revision, leftOut)
      return loaded
    }
    if (Object.keys(left).length === 0) return loaded
    logger.error(
      { code: 'config.managed_conflict', revision, problem: loaded.outcome.text },
      'objects that were made over the API do not go with the configuration file',
    )
    const wrong = round < mostRounds ? wrongIn(loaded.outcome, text) : []
    // What is wrong cannot be told from the rest, or is in the file, which may need one of them: then the file counts alone.
    left = wrong.length === 0 ? noObjects : withoutObjects(left, wrong)
    leftOut = goneFrom(objects, left)
  }
}

function wrongIn({ problems }: ConfigError, text: string): readonly ObjectName[] {
  const found = new Map<string, ObjectName>()
  for (const { file, line } of problems) {
    const one = file === consoleOrigin ? objectAtLine(text, line) : undefined
    if (one !== undefined) found.set(objectText(one), one)
  }
  return [...found.values()]
}

function goneFrom(all: ManagedObjects, left: ManagedObjects): readonly LeftOut[] {
  return changesBetween(all, left).map(({ kind, name }) => {
    const known = objectKind(kind)
    const object = objectIn(all, { kind, name })
    return { kind, name, restricts: known === undefined || object === undefined || restricts(known, object) }
  })
}

function tell(logger: Logger, revision: number, leftOut: readonly LeftOut[]): void {
  if (leftOut.length === 0) return
  const holds = leftOut.some((one) => one.restricts)
  logger.error(
    { code: 'config.managed_conflict', revision, leftOut: leftOut.map(objectText) },
    holds
      ? 'the gateway starts without these objects, and takes no calls: one of them restricts calls'
      : 'the gateway starts without these objects',
  )
}
