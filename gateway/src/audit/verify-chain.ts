/**
 * Checks the records of a log one after the other against the hash chain. Feed it every stored row in order;
 * it says which rows cannot be what was written. Pure: knows nothing of files.
 */
import { genesisHash, nextHash } from './chain.ts'
import { belongingOf, type SpanKind } from './record-spans.ts'
import type { VerifyProblem } from './verify.ts'

export interface StoredRow {
  readonly seq: number
  readonly hash: string
  readonly record: string
}

/** What look-ups go by: whether one for what the record says (`key`) comes to it. Null: the record says nothing, and no look-up may. */
export interface LookUps<Row extends StoredRow> {
  readonly kinds: readonly (SpanKind | 'time')[]
  isFound(kind: SpanKind | 'time', key: string | number | null, row: Row): boolean
}

interface Suspect {
  readonly seq: number
  readonly previous: string
  readonly hash: string
  readonly record: string
}

/** More rows than this that do not fit are reported without looking for where they came from. */
const suspectLimit = 200
export const problemLimit = 1000

const doesNotFollow =
  'the record does not follow from the one before it: one of the two was changed, or records between them were removed or inserted'

export class ChainVerifier<Row extends StoredRow = StoredRow> {
  readonly problems: VerifyProblem[] = []
  readonly #lookUps: LookUps<Row>
  readonly #checkpoints: ReadonlyMap<number, string>
  readonly #suspects: Suspect[] = []
  /** Stored hash of the row before; undefined after a gap. */
  #previous: string | undefined
  lastSeq = 0
  count = 0

  /** `checkpoints`: sequence number -> hash, from checkpoints whose signature holds. */
  constructor(chain: string, checkpoints: ReadonlyMap<number, string>, lookUps: LookUps<Row>) {
    this.#lookUps = lookUps
    this.#checkpoints = checkpoints
    this.#previous = genesisHash(chain)
  }

  add(row: Row): void {
    this.count += 1
    if (row.seq <= this.lastSeq) {
      this.problems.push({ seq: row.seq, kind: 'edited', detail: 'a record with a number the writer never gives' })
      return
    }
    if (row.seq !== this.lastSeq + 1) {
      const last = row.seq - 1
      const which = last === this.lastSeq + 1 ? `record ${last} is` : `records ${this.lastSeq + 1} to ${last} are`
      this.problems.push({ seq: this.lastSeq + 1, kind: 'missing', detail: `${which} missing` })
      this.#previous = undefined
    }
    const { seq, hash, record } = row
    if (this.#previous !== undefined && nextHash(this.#previous, record) !== hash) {
      if (this.#suspects.length < suspectLimit) this.#suspects.push({ seq, previous: this.#previous, hash, record })
      else if (this.problems.length < problemLimit) this.problems.push({ seq, kind: 'edited', detail: doesNotFollow })
    }
    const belonging = belongingOf(record)
    if (belonging === undefined) this.problems.push({ seq, kind: 'edited', detail: 'the record is not JSON' })
    for (const kind of belonging === undefined ? [] : this.#lookUps.kinds) {
      if (!this.#lookUps.isFound(kind, belonging?.[kind] ?? null, row))
        this.problems.push({ seq, kind: 'edited', detail: `the record was hidden from look-ups by its ${kind}` })
    }
    const signed = this.#checkpoints.get(seq)
    if (signed !== undefined && signed !== hash) {
      this.problems.push({ seq, kind: 'edited', detail: 'the records up to here are not the ones the signed checkpoint covers' })
    }
    this.#previous = hash
    this.lastSeq = seq
  }

  /** Call once, after the last row. */
  finish(): readonly VerifyProblem[] {
    for (const suspect of this.#suspects) this.problems.push(this.#explain(suspect))
    return this.problems.sort((one, other) => one.seq - other.seq)
  }

  #explain(suspect: Suspect): VerifyProblem {
    const { seq } = suspect
    if (this.#suspects.some((other) => other !== suspect && fits(suspect, other))) {
      return { seq, kind: 'reordered', detail: 'the record is genuine and does not belong here' }
    }
    return { seq, kind: 'edited', detail: doesNotFollow }
  }
}

/** Whether one row is genuine in the place of the other: the whole row was moved, or only the text. */
function fits(suspect: Suspect, other: Suspect): boolean {
  return nextHash(other.previous, suspect.record) === suspect.hash || nextHash(other.previous, suspect.record) === other.hash
}
