/**
 * Moments at which we know more than V8 does. Bytes of bodies lie outside its heap: it collects all of the heap when
 * too many have gathered there, though those of finished requests would be found by looking at the young part only. And
 * what starting leaves behind would stay until the first busy hour. V8 offers both collections to those who ask for them
 * with `--expose-gc`; the flag is set and used here and nowhere else.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import v8 from 'node:v8'
import vm from 'node:vm'

type Collect = (options: { readonly type: 'minor' | 'major' }) => void

/** Far enough below the 64 MiB at which V8 collects everything. */
const youngLimit = 16 * 1024 * 1024
/** Smaller bodies die with the many small objects that make V8 look at the young part anyway. */
const smallest = 16 * 1024

let collect: Collect | undefined
let sinceLast = 0

/** So many bytes were received that nobody needs once their request is over. */
export function notePassingBytes(count: number): void {
  if (count < smallest) return
  sinceLast += count
  if (sinceLast < youngLimit) return
  sinceLast = 0
  collector()({ type: 'minor' })
}

/** While the gateway starts: most of what it makes stays, and would make the young part of the heap grow to its largest. */
export function beginStart(): void {
  // Waking helpers for a young part of a few megabytes costs more than what they take over.
  v8.setFlagsFromString('--no-parallel-scavenge')
  v8.setFlagsFromString('--semi-space-growth-factor=1')
}

/**
 * Lets the young part grow with the work again, and gives back what starting has left behind. Takes some ten milliseconds.
 * Not as V8's last resort, which would give back more: `process.nextTick` is slower ever after.
 */
export function endStart(): void {
  collector()({ type: 'major' })
  v8.setFlagsFromString('--semi-space-growth-factor=2')
  new PerformanceObserver(boundYoung).observe({ entryTypes: ['gc'] })
}

/** Half of the young part at most, in bytes. Larger, it makes no call cheaper and stays resident; half of this, every call costs a tenth more. */
const mostYoung = 16 * 1024 * 1024
let mayGrow = true

/** After a collection: V8 takes the limit of the young part at its start only, and whether it may double at every one. */
function boundYoung(): void {
  const young = v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
  const grows = young === undefined || young.space_size < 2 * mostYoung
  if (grows === mayGrow) return
  mayGrow = grows
  v8.setFlagsFromString(`--semi-space-growth-factor=${grows ? 2 : 1}`)
}

function collector(): Collect {
  collect ??= exposed()
  return collect
}

function exposed(): Collect {
  v8.setFlagsFromString('--expose-gc')
  const found: unknown = vm.runInNewContext('globalThis.gc')
  return typeof found === 'function' ? (found as Collect) : () => {}
}
