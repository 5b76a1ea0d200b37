/** What the life of one server needs of its surroundings. */
import type { Listed } from '../connectors/listing.ts'
import type { ServerReads } from '../reads.ts'
import type { ReadTools } from '../tool-definitions.ts'
import type { CallQueue } from './call-queue.ts'
import type { ConnectOptions } from './connecting.ts'
import type { HeldElsewhere } from './held-elsewhere.ts'
import type { Pins } from './pinned-tools.ts'

export interface SlotOptions extends ConnectOptions {
  /** Bounds how many servers start at once, fleet-wide. */
  readonly starts: Pick<CallQueue, 'run'>
  /** Requests that wait for input at other processes. */
  readonly elsewhere: HeldElsewhere
  /** Absent: definitions of tools are not pinned. */
  readonly pins?: Pins | undefined
  /** State or tools changed. */
  readonly onChange: () => void
  /** A listing was read, perhaps not to its end; what is returned takes its place. */
  readonly onListed: (read: ReadTools, isCut: boolean) => ReadTools
  /** The last of the calls that ran has ended. */
  readonly onIdle: () => void
  /** What was listed, before anything of it is taken. */
  readonly onRead?: ((listed: Listed, reads: ServerReads) => void) | undefined
  /** True: people have connections of their own, and this one only shows what there is, if the server lets it. */
  readonly isForListing?: boolean
  /** True: one that died stays down until it is needed, however long that is. */
  readonly isOnDemand?: boolean
}
