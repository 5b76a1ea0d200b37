/**
 * What one gateway shows besides tools. URIs stay what they are; where two servers have the same one, each is shown under a
 * URI of the gateway's that says which is meant.
 */
import type { McpGateway } from '../../config/snapshot.ts'
import type { CatalogueRead, GatewayReads } from '../catalogue.ts'
import { readOf, type ServerReads } from '../reads.ts'
import { compileTemplate } from '../uri-template.ts'
import { looksOwn, ownUri, readOwnUri } from './own-uris.ts'
import { shownNames, type Naming } from './shown-names.ts'

export interface ReadsView {
  readonly name: string
  readonly reads: ServerReads
}

/** In order of what clients see, so that the order never depends on which server answered first. */
export function buildReads(gateway: McpGateway, servers: readonly ReadsView[], configured: Naming['configured']): GatewayReads {
  const shown = (entries: readonly CatalogueRead[]): CatalogueRead[] => entries.filter(({ name }) => gateway.tools.matches(name))
  const resources = inOrder(unambiguous(shown(servers.flatMap(({ reads }) => reads.resources))))
  const templates = inOrder(unambiguous(shown(servers.flatMap(({ reads }) => reads.templates))))
  const listedPrompts = shown(servers.flatMap(({ reads }) => reads.prompts))
  const promptNames = shownNames(listedPrompts, ({ shownName }) => shownName, { names: gateway.names, aliases: noAliases, configured })
  const prompts = inOrder(listedPrompts.map((prompt) => promptAs(promptNames.of(prompt), prompt)))
  const byUri = new Map(resources.map((entry) => [entry.shownName, entry]))
  const byTemplate = new Map(templates.map((entry) => [entry.shownName, entry]))
  const patterns = templates.map((entry) => ({ entry, matches: compileTemplate(entry.originalName) }))
  const readable = servers.filter(({ reads }) => reads.hasResources).map(({ name }) => name)
  const resourceOf = (server: string, uri: string): CatalogueRead | undefined => {
    const entry = readOf(server, 'resource', uri, { uri }, uri)
    return gateway.tools.matches(entry.name) ? entry : undefined
  }
  const resource = (uri: string): CatalogueRead | undefined => {
    const named = readOwnUri(uri)
    if (named !== undefined) return readable.includes(named.server) ? resourceOf(named.server, named.uri) : undefined
    const listed = byUri.get(uri)
    if (listed !== undefined) return listed
    const owners = new Set(patterns.flatMap(({ entry, matches }) => (matches?.(uri) === true ? [entry.server] : [])))
    // A server may have more than it lists: where nobody else can be meant, it is asked.
    const [server, another] = owners.size > 0 ? owners : readable
    return server === undefined || another !== undefined ? undefined : resourceOf(server, uri)
  }
  return {
    resources,
    templates,
    prompts,
    resource,
    shownUri(server, uri) {
      // Addresses of the web are for whoever reads the link, and not only here.
      if (/^https?:/i.test(uri) || !readable.includes(server) || resource(uri)?.server === server) return uri
      return resourceOf(server, uri) === undefined ? uri : ownUri(server, uri)
    },
    template: (uriTemplate) => byTemplate.get(uriTemplate),
    prompt: (name) => promptNames.meant(name),
  }
}

const noAliases: ReadonlyMap<string, string> = new Map()

function promptAs(shownName: string, prompt: CatalogueRead): CatalogueRead {
  return shownName === prompt.shownName ? prompt : { ...prompt, shownName, definition: { ...prompt.definition, name: shownName } }
}

/** Two servers may have the same URI: it is then shown under one of the gateway's, which ends with it, so that templates stay templates. */
function unambiguous(entries: readonly CatalogueRead[]): CatalogueRead[] {
  const counts = new Map<string, number>()
  for (const { originalName } of entries) counts.set(originalName, (counts.get(originalName) ?? 0) + 1)
  return entries.map((entry) => {
    if (counts.get(entry.originalName) === 1 && !looksOwn(entry.originalName)) return entry
    const shownName = ownUri(entry.server, entry.originalName)
    const field = entry.kind === 'template' ? 'uriTemplate' : 'uri'
    return { ...entry, shownName, definition: { ...entry.definition, [field]: shownName } }
  })
}

function inOrder(entries: readonly CatalogueRead[]): CatalogueRead[] {
  return [...entries].sort((a, b) => (a.shownName < b.shownName ? -1 : 1))
}
