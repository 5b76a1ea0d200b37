/** A decision log in memory that a test can hold up or break, and that knows what was on it at every moment. */
import type { DecisionRecord } from '@turnward/contract/decision'
import type { DecisionLog } from '../audit/decision-log.ts'
import { TurnwardError } from '../core/error.ts'

export class RecordingLog implements DecisionLog {
  /** As they came, whether or not anybody waited for them. */
  readonly records: DecisionRecord[] = []
  /** Records whose writer was told that they are on disk. */
  readonly durable = new Set<DecisionRecord>()
  /** Says which records cannot be written. */
  breaks: (record: DecisionRecord) => boolean = () => false
  /** Waited for before a record counts as durable. */
  disk: (record: DecisionRecord) => Promise<void> = async () => {}

  async appendDurably(record: DecisionRecord): Promise<void> {
    await this.disk(record)
    this.append(record)
    this.durable.add(record)
  }

  append(record: DecisionRecord): void {
    if (this.breaks(record)) throw new TurnwardError('audit.unwritable', { why: 'a test broke it' })
    this.records.push(structuredClone(record))
  }

  decisions(kind: DecisionRecord['kind']): DecisionRecord[] {
    return this.records.filter((record) => record.type === 'decision' && record.kind === kind)
  }

  health(): string | undefined {
    return undefined
  }

  async close(): Promise<void> {}
}
