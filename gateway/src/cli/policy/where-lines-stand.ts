/** Where a line of the policy stands, by what reasons and records call it: `contract mail__send`, `rule no-night`, `grant #2`. Pure. */
import { dirname, relative } from 'node:path'
import { consoleOrigin } from '../../config/managed/managed-objects.ts'
import type { Origin, Snapshot } from '../../config/snapshot.ts'

export interface WhereItStands {
  readonly managed: 'console' | 'file' | 'pack'
  /** As seen from the folder of the configuration; null for what was made over the API, and for packs. */
  readonly place: Origin | null
}

/** Undefined for what is no line of the policy: `contracts`, `input schema`. */
export function originOfSource(
  { origins, objects, policy }: Pick<Snapshot, 'origins' | 'objects' | 'policy'>,
  source: string,
): Origin | undefined {
  const [, section, name = ''] = /^(contract|rule) ([^ ]+)/.exec(source) ?? []
  if (section !== undefined) return objects.get(`${section}s`)?.get(name)?.origin
  const line = policy.grants.lines.findIndex((one) => one.source === source || one.forbidSource === source)
  return line < 0 ? undefined : origins.get(`grants[${line}]`)
}

/** Of a source that is a line of the policy. */
export function whereItStands(
  snapshot: Pick<Snapshot, 'origins' | 'objects' | 'policy' | 'files'>,
  source: string,
): WhereItStands | undefined {
  if (/^contract .* \(pack /.test(source)) return { managed: 'pack', place: null }
  const origin = originOfSource(snapshot, source)
  return origin === undefined ? undefined : placed(snapshot, origin)
}

export function placed({ files }: Pick<Snapshot, 'files'>, origin: Origin): WhereItStands {
  if (origin.source === consoleOrigin) return { managed: 'console', place: null }
  return { managed: 'file', place: { ...origin, source: shortFile(files, origin.source) } }
}

/** A file as seen from the folder of the configuration: where things lie on the machine is nobody's business. */
export function shortFile([main]: readonly string[], file: string): string {
  return main === undefined ? file : relative(dirname(main), file)
}
