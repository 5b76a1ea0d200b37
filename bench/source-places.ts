/** Gives the frames of a CPU profile of the build their places in the sources, through the maps beside the build. */
import { existsSync, readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { CpuProfile } from './profile-report.ts'

/** Finds the map of a script; undefined when it has none. */
export type FindMap = (url: string) => SourceMap | undefined

/** The same profile; a frame that no map knows stays as it is. */
export function inSources(profile: CpuProfile, mapOf: FindMap = mapBeside()): CpuProfile {
  return { ...profile, nodes: profile.nodes.map((node) => ({ ...node, callFrame: placed(node.callFrame, mapOf) })) }
}

type Frame = CpuProfile['nodes'][number]['callFrame']

function placed(frame: Frame & { readonly columnNumber?: number }, mapOf: FindMap): Frame {
  const entry = mapOf(frame.url)?.findEntry(frame.lineNumber, frame.columnNumber ?? 0)
  if (entry === undefined || !('originalSource' in entry)) return frame
  return { ...frame, url: new URL(entry.originalSource, frame.url).href, lineNumber: entry.originalLine }
}

/** Reads `<script>.map`, once per script. */
function mapBeside(): FindMap {
  const known = new Map<string, SourceMap | undefined>()
  return (url) => {
    if (!known.has(url)) {
      const path = url.startsWith('file:') ? `${fileURLToPath(url)}.map` : ''
      known.set(url, existsSync(path) ? new SourceMap(JSON.parse(readFileSync(path, 'utf8')) as SourceMapPayload) : undefined)
    }
    return known.get(url)
  }
}
