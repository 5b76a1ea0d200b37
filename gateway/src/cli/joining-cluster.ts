/** This process as one of an installation: it announces itself, answers what only it can, and runs what the cluster has once. */
import { Hop } from '../cluster/hop.ts'
import { Instances } from '../cluster/instances.ts'
import type { Peers } from '../cluster/peers.ts'
import { anyOf, replicaPeers } from '../cluster/replica-peers.ts'
import type { Snapshot } from '../config/snapshot.ts'
import type { Clock } from '../core/clock.ts'
import { randomText } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import type { StateStore } from '../state/state-store.ts'
import type { InstanceRecord } from '../state/state-values.ts'
import { ClusterChildren } from '../tools/fleet/cluster-child.ts'
import { replicaName } from './replica-name.ts'
import { version } from './version.ts'

export interface ClusterMembership {
  readonly instances: Instances
  readonly hop: Hop
  /** All other processes that serve the same clients. */
  readonly peers: Peers
  readonly children: ClusterChildren
  close(): Promise<void>
}

export interface JoiningOptions {
  readonly snapshot: () => Snapshot
  readonly state: StateStore
  readonly clock: Clock
  readonly logger: Logger
  /** Chain of the decision log that this process writes. */
  readonly chain: string
  /** Which of the processes of this replica it is, from 0. */
  readonly worker: number
  /** Requests it answers at the moment. */
  readonly running: () => number
  /** The processes beside this one. */
  readonly local: Peers
}

/** Takes part from now on; undefined where the configuration names no cluster. */
export async function joinCluster(options: JoiningOptions): Promise<ClusterMembership | undefined> {
  const { snapshot, state, clock, logger, chain, worker, running, local } = options
  const { settings } = snapshot()
  const { cluster, limits } = settings
  if (cluster === undefined || settings.state.kind !== 'valkey') return undefined
  const replica = replicaName(settings)
  const self = `${replica}.${worker}.${randomText(8)}`
  const started = clock.now()
  const instances = new Instances({
    state,
    clock,
    logger,
    describe: () => ({
      instance: self,
      replica,
      worker,
      ...(cluster.advertise === undefined ? {} : { address: cluster.advertise }),
      revision: snapshot().revision,
      version,
      chain,
      running: running(),
      started,
    }),
  })
  const hop = new Hop({
    names: [self, anyOf(replica)],
    secrets: { current: cluster.secret, previous: cluster.previous_secrets },
    clock,
    maxBytes: Math.max(limits.max_body_bytes, limits.max_response_bytes),
    addressOf: async (instance) =>
      instances.present.find((one) => anyOf(one.replica) === instance)?.address ?? instances.addressOf(instance),
  })
  const othersOf = (all: readonly InstanceRecord[]): readonly string[] =>
    [...new Set(all.map((one) => one.replica))].filter((one) => one !== replica)
  const peers = replicaPeers({
    hop,
    local,
    others: () => othersOf(instances.present),
    newcomers: () => instances.newcomers(),
  })
  const children = new ClusterChildren({ state, clock, logger, self, hop })
  await instances.join()
  return {
    instances,
    hop,
    peers,
    children,
    async close() {
      await instances.close()
      hop.close()
    },
  }
}
