/** What the rest of the gateway may ask of the decision log. Implemented by the writer in this room. */
import type { DecisionRecord } from '@turnward/contract/decision'

export interface DecisionLog {
  /**
   * Appends a record and resolves when it is on disk (fsync of the group commit it rides in).
   * Rejects with `audit.unwritable` or `audit.backlog`: the caller must then not act.
   */
  appendDurably(record: DecisionRecord): Promise<void>
  /**
   * Appends a record that may reach the disk up to 50 ms later.
   * Throws `audit.unwritable` at once while the log is known to be failing, `audit.backlog` when too much is pending.
   */
  append(record: DecisionRecord): void
  /** `undefined` when healthy, else why not. */
  health(): string | undefined
  /** Writes everything pending and a last checkpoint. */
  close(): Promise<void>
}
