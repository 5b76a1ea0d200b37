/**
 * Two moments at which we know more than V8 does. Bytes of bodies lie outside its heap: it collects all of the heap when
 * too many have gathered there, though those of finished requests would be found by looking at the young part only. And
 * what starting leaves behind would stay until the first busy hour. V8 offers both collections to those who ask for them
 * with `--expose-gc`; the flag is set and used here and nowhere else.
 */
import v8 from 'node:v8'
import vm from 'node:vm'

type Collect = (options: { readonly type: 'minor' | 'major'; readonly flavor?: 'last-resort' }) => void

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

/** Gives the system back what starting has left behind. Takes some ten milliseconds. */
export function collectAfterStart(): void {
  // Other flavours keep the memory for what comes next.
  collector()({ type: 'major', flavor: 'last-resort' })
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
