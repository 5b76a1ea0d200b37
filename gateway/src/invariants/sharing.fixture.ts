/** The ways in which two gateways share a state, as one table: what holds of two gateways holds of each. */
import { onValkey } from '../state/backends.fixture.ts'
import type { StateStore } from '../state/state-store.ts'
import { MemoryPlace } from '../state/versioned/memory-place.fixture.ts'
import { VersionedState } from '../state/versioned/versioned-state.ts'
import { testClock, testState } from '../turns/state-and-clock.fixture.ts'
import { delayedState } from './delayed-state.fixture.ts'

/** One state of two gateways, as each of them has it. */
export interface Sharing extends AsyncDisposable {
  readonly here: StateStore
  readonly there: StateStore
}

export interface SharingWay {
  readonly way: string
  readonly isMissing: boolean
  /** How many runs of a property are worth their time, of a hundred. */
  readonly share: number
  /** An empty state. `seed`: which operation is next. `watch`: wraps what is kept, where that can be done. */
  open(seed: number, watch?: (store: StateStore) => StateStore): Promise<Sharing>
}

const redis = process.env['TURNWARD_TEST_REDIS']

export const sharingWays: readonly SharingWay[] = [
  {
    way: 'one slow state',
    isMissing: false,
    share: 100,
    async open(seed, watch = (store) => store) {
      const state = delayedState(watch(testState(testClock())), seed)
      return { here: state, there: state, async [Symbol.asyncDispose]() {} }
    },
  },
  {
    way: 'a slow place of versions',
    isMissing: false,
    share: 100,
    async open(seed) {
      const place = new MemoryPlace(testClock(), seed)
      return { here: new VersionedState(place), there: new VersionedState(place), async [Symbol.asyncDispose]() {} }
    },
  },
  {
    way: 'Valkey',
    isMissing: redis === undefined,
    share: 20,
    async open() {
      const shared = onValkey(redis ?? '')
      return { here: await shared.open(), there: await shared.open(), [Symbol.asyncDispose]: () => shared[Symbol.asyncDispose]() }
    },
  },
]
