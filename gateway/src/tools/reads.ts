/**
 * What a server lists besides tools, as things of it that can be read: resources, templates of resources, prompts. Everything a
 * server says is untrusted; an entry that cannot be used is left out with a reason, and harms no other.
 */
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'
import type { CatalogueRead, ReadKind } from './catalogue.ts'
import { nothingListed, type Listed, type OtherLists } from './connectors/listing.ts'
import { countNodes } from './json-size.ts'
import { exposedName } from '../core/exposed-names.ts'
import { compileTemplate } from './uri-template.ts'

export interface ServerReads {
  readonly resources: readonly CatalogueRead[]
  readonly templates: readonly CatalogueRead[]
  readonly prompts: readonly CatalogueRead[]
  /** Whether it can be asked for a URI that it does not list. */
  readonly hasResources: boolean
  /** What is not offered, and why. */
  readonly leftOut: readonly string[]
}

const longestUri = 2048
const longestName = 256
const longestDefinition = 256 * 1024
const deepestDefinition = 128

/** Nothing was listed. */
export const noReads: ServerReads = readsOf('', nothingListed, {})

/** `capabilities`: what the server says it can do. */
export function readsOf(server: string, { resources, templates, prompts }: OtherLists, capabilities: JsonObject): ServerReads {
  const leftOut: string[] = []
  const read = (kind: ReadKind, { entries, cut }: Listed): CatalogueRead[] => {
    if (cut !== undefined) leftOut.push(cut)
    const seen = new Set<string>()
    return entries.flatMap((entry, position) => {
      const one = readEntry(server, kind, entry)
      if (typeof one === 'string') leftOut.push(`${kind} #${position}: ${one}`)
      // A server that repeats a page lists the same again.
      if (typeof one === 'string' || seen.has(one.originalName)) return []
      seen.add(one.originalName)
      return [one]
    })
  }
  return {
    resources: read('resource', resources),
    templates: read('template', templates),
    prompts: read('prompt', prompts),
    hasResources: isObject(capabilities.resources),
    leftOut,
  }
}

/** What the engine, grants and contracts call a resource or a prompt of a server. */
export function readSubject(kind: ReadKind, server: string, originalName: string): string {
  return `${kind === 'prompt' ? 'prompt' : 'resource'}:${server}/${originalName}`
}

/** A thing of a server that can be read, under the name the engine knows it by. */
export function readOf(server: string, kind: ReadKind, originalName: string, definition: JsonObject, shownName: string): CatalogueRead {
  return {
    kind,
    name: readSubject(kind, server, originalName),
    originalName,
    server,
    definition,
    shownName,
    hints: { readOnlyHint: true },
    reading: true,
    validate: () => undefined,
  }
}

const nameFields = { resource: 'uri', template: 'uriTemplate', prompt: 'name' } as const

function readEntry(server: string, kind: ReadKind, entry: JsonValue): CatalogueRead | string {
  if (!isObject(entry)) return 'it is not an object'
  const originalName = entry[nameFields[kind]]
  const longest = kind === 'prompt' ? longestName : longestUri
  if (typeof originalName !== 'string' || originalName === '' || originalName.length > longest)
    return `it has no usable \`${nameFields[kind]}\``
  if (countNodes(entry, deepestDefinition, longestDefinition) === undefined || JSON.stringify(entry).length > longestDefinition)
    return 'its definition is too deep or too large'
  if (kind === 'template' && compileTemplate(originalName) === undefined) return 'its `uriTemplate` cannot be read'
  if (kind !== 'prompt' && typeof entry.name !== 'string') return 'it has no `name`'
  if (kind !== 'prompt') return readOf(server, kind, originalName, entry, originalName)
  if (entry.arguments !== undefined && entry.arguments !== null && !Array.isArray(entry.arguments)) return 'its `arguments` are no list'
  const name = exposedName(server, originalName)
  return readOf(server, kind, originalName, { ...entry, name }, name)
}
