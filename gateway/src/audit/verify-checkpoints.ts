/** Checks the signed checkpoints: their signatures, their order, and that both copies agree. Pure. */
import type { KeyObject } from 'node:crypto'
import type { AnchorLine } from './anchor.ts'
import { checkpointLine, isSignedBy, type Checkpoint } from './checkpoint.ts'
import type { VerifyProblem } from './verify.ts'

export interface CheckpointSources {
  readonly chain: string
  /** In order of `seq`. */
  readonly database: readonly Checkpoint[]
  /** The file as it was before the database was read: all of it must be in the database. */
  readonly anchorBefore: readonly AnchorLine[]
  /** The file as it was after: all of the database but the newest must be in it. Undefined where other writers have files elsewhere. */
  readonly anchorAfter: readonly AnchorLine[] | undefined
  /** Undefined when there is no usable key: then no checkpoint holds. */
  readonly key: KeyObject | undefined
}

export interface VerifiedCheckpoints {
  /** Those that hold, in order of `seq`, from either copy. */
  readonly valid: readonly Checkpoint[]
  readonly problems: readonly VerifyProblem[]
}

export function verifyCheckpoints(sources: CheckpointSources): VerifiedCheckpoints {
  const problems: VerifyProblem[] = []
  const report = (seq: number, detail: string): void => {
    problems.push({ seq, kind: 'checkpoint', detail })
  }
  const valid = new Map<string, Checkpoint>()
  const accept = (checkpoint: Checkpoint, where: string): void => {
    if (sources.key !== undefined && isSignedBy(checkpoint, sources.key)) valid.set(placeOf(checkpoint), checkpoint)
    else report(checkpoint.seq, `the signature of the checkpoint in ${where} does not hold`)
  }

  const inDatabase = new Set<string>()
  for (const checkpoint of sources.database) {
    inDatabase.add(checkpointLine(checkpoint))
    accept(checkpoint, 'the database')
  }
  const foreign = new Map<string, Checkpoint>()
  for (const { line, checkpoint } of sources.anchorBefore) {
    if (checkpoint === undefined) report(0, `line ${line} of checkpoints.jsonl is not a checkpoint`)
    else if (checkpoint.chain !== sources.chain) foreign.set(checkpoint.chain, checkpoint)
    else if (!inDatabase.has(checkpointLine(checkpoint))) {
      report(checkpoint.seq, `the checkpoint in line ${line} of checkpoints.jsonl is not in the database`)
      accept(checkpoint, 'checkpoints.jsonl')
    }
  }
  for (const checkpoint of foreign.values()) problems.push(missingChain(checkpoint, sources.key))
  const inAnchor = new Set(
    (sources.anchorAfter ?? []).flatMap(({ checkpoint }) => (checkpoint === undefined ? [] : [checkpointLine(checkpoint)])),
  )
  for (const checkpoint of sources.anchorAfter === undefined ? [] : sources.database.slice(0, -1)) {
    if (!inAnchor.has(checkpointLine(checkpoint))) report(checkpoint.seq, 'the checkpoint is not in checkpoints.jsonl')
  }

  const ordered = [...valid.values()].sort(
    (one, other) => one.seq - other.seq || Number(one.closed ?? false) - Number(other.closed ?? false),
  )
  let before = 0
  for (const checkpoint of ordered) {
    if (checkpoint.seq - checkpoint.count !== before)
      report(checkpoint.seq, `a checkpoint between ${before} and ${checkpoint.seq} is missing`)
    before = checkpoint.seq
  }
  return { valid: ordered, problems }
}

/** A chain is closed where it ends, which may be where its last checkpoint was. */
function placeOf({ seq, closed }: Checkpoint): string {
  return `${seq} ${closed === true}`
}

/** What the last checkpoint of a chain says that is not in the database. */
export function missingChain(checkpoint: Checkpoint, key: KeyObject | undefined): VerifyProblem {
  const genuine = key !== undefined && isSignedBy(checkpoint, key)
  const detail = `checkpoints.jsonl covers ${checkpoint.seq} records of ${checkpoint.chain}, a log that is no longer here`
  return { seq: checkpoint.seq, kind: genuine ? 'tail_cut' : 'checkpoint', detail }
}
