/** What the servers of all snapshots need of their surroundings. */
import type { Peers } from '../../cluster/peers.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { ServerCredentials } from '../../identity/server-auth/server-credentials.ts'
import type { Runners } from '../runners/runners.ts'
import type { ServerLogs } from '../runners/server-logs.ts'
import type { ClusterChildren } from './cluster-child.ts'
import type { ListingStore } from './known-tools.ts'
import type { Pins } from './pinned-tools.ts'
import type { RememberedEras } from './remembered-eras.ts'

export interface FleetOptions {
  readonly snapshot: () => Snapshot
  /** Registers for snapshot swaps; returns the way to stop. */
  readonly onSwap: (listener: () => void) => () => void
  readonly runners: Runners
  /** Folder for private homes of servers. */
  readonly dataDir: string
  readonly logger: Logger
  readonly clock: Clock
  /** With what hops to servers are made. */
  readonly credentials: ServerCredentials
  /** How long `catalogue` waits for servers that are starting. */
  readonly coldBudgetMs?: number
  /** The other processes that serve the same clients. */
  readonly peers?: Peers
  /** Runs what the cluster has once; absent where there is no cluster. */
  readonly cluster?: ClusterChildren | undefined
  /** What eras of servers were found out before. */
  readonly eras?: RememberedEras
  /** Which definitions of tools may be used; absent: whatever a server lists. */
  readonly pins?: Pins
  /** Where what started servers write to stderr is kept; absent: nowhere. */
  readonly logs?: Pick<ServerLogs, 'write'>
  /** Where the last listings of servers outlive the process, and what it holds. */
  readonly listings?: { readonly store: ListingStore; readonly stored: readonly { readonly server: string; readonly tools: string }[] }
}
