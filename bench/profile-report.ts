/** Reads a V8 CPU profile and says where the samples fell: by function, and inclusive of what a function called. Pure. */

interface Frame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame; readonly children?: readonly number[] }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export interface Cost {
  readonly where: string
  /** Share of the busy time, 0 to 1. */
  readonly share: number
}

export interface Costs {
  /** Time that was not idle, in microseconds. */
  readonly busyMicros: number
  /** Own time of each function. */
  readonly own: readonly Cost[]
  /** Time of each function and all it called; recursion counts once. */
  readonly inclusive: readonly Cost[]
  /** Own time by file or package. */
  readonly files: readonly Cost[]
}

/** Costs of what was sampled later than `skipMicros` after the start, so that starting up is not counted. */
export function costsOf(profile: CpuProfile, skipMicros = 0): Costs {
  const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]))
  const parents = new Map(profile.nodes.flatMap((node) => (node.children ?? []).map((child): [number, number] => [child, node.id])))
  const own = new Map<string, number>()
  const inclusive = new Map<string, number>()
  const files = new Map<string, number>()
  let busyMicros = 0
  let elapsed = 0
  for (const [index, sample] of profile.samples.entries()) {
    const micros = profile.timeDeltas[index] ?? 0
    elapsed += micros
    const frame = frames.get(sample)
    if (elapsed < skipMicros || frame === undefined || frame.functionName === '(idle)') continue
    busyMicros += micros
    add(own, nameOf(frame), micros)
    add(files, fileOf(frame), micros)
    const seen = new Set<string>()
    for (let at: number | undefined = sample; at !== undefined; at = parents.get(at)) {
      const parent = frames.get(at)
      if (parent !== undefined) seen.add(nameOf(parent))
    }
    for (const name of seen) add(inclusive, name, micros)
  }
  const ranked = (sums: ReadonlyMap<string, number>): Cost[] =>
    [...sums].map(([where, micros]) => ({ where, share: micros / busyMicros })).toSorted((a, b) => b.share - a.share)
  return { busyMicros, own: ranked(own), inclusive: ranked(inclusive), files: ranked(files) }
}

function add(sums: Map<string, number>, key: string, micros: number): void {
  sums.set(key, (sums.get(key) ?? 0) + micros)
}

function nameOf(frame: Frame): string {
  const name = frame.functionName === '' ? '(anonymous)' : frame.functionName
  return frame.url === '' ? name : `${name} ${fileOf(frame)}:${frame.lineNumber + 1}`
}

/** A path as we write it: from `gateway/` or from the package on; never a machine's own. */
function fileOf({ url, functionName }: Frame): string {
  if (url === '') return functionName
  const dependency = url.lastIndexOf('/node_modules/')
  if (dependency !== -1) return url.slice(dependency + '/node_modules/'.length)
  const own = /\/((?:gateway|contract)\/(?:src|dist|bin)\/.*)$/.exec(url)?.[1]
  return own ?? url
}
