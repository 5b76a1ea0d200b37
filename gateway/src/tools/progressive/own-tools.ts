/** The two tools that a gateway shows in the place of a catalogue that is too large to be listed. */
import { gatewayServer, searchToolName, runToolName } from '../../core/tool-names.ts'
import type { JsonObject } from '../../core/json.ts'
import type { CatalogueEntry } from '../catalogue.ts'
import type { McpContext } from '../operations.ts'

/** Found at once unless the caller wants fewer or more. */
export const usualFound = 8
export const mostFound = 50
export const longestQuery = 1000
const mostServersNamed = 40

/** Their definitions. `servers`: whose tools can be found now. */
export function ownDefinitions(servers: readonly string[]): readonly JsonObject[] {
  const named = servers.slice(0, mostServersNamed).join(', ')
  const more = servers.length > mostServersNamed ? ', …' : ''
  return [
    {
      name: searchToolName,
      title: 'Search tools',
      description: `Finds tools for a task. Most tools here are not listed: search for what is to be done before you say that there is no tool for it. Returns names, descriptions and input schemas; run one of them with ${runToolName}.${named === '' ? '' : ` There are tools of: ${named}${more}.`}`,
      inputSchema: {
        type: 'object',
        properties: {
          query: { type: 'string', maxLength: longestQuery, description: 'What is to be done, in a few words, or the name of a tool.' },
          limit: { type: 'integer', minimum: 1, maximum: mostFound, default: usualFound, description: 'How many tools to return at most.' },
        },
        required: ['query'],
        additionalProperties: false,
      },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    {
      name: runToolName,
      title: 'Run a tool',
      description: `Runs a tool that ${searchToolName} has found.`,
      inputSchema: {
        type: 'object',
        properties: {
          name: { type: 'string', description: `Name of the tool, as ${searchToolName} gave it.` },
          arguments: { type: 'object', description: 'Arguments of the tool, as its input schema describes them.' },
        },
        required: ['name'],
        additionalProperties: false,
      },
    },
  ]
}

/** A tool of the gateway itself, as something that is asked for by name. It reads its arguments itself. */
export function ownEntry(name: string): CatalogueEntry {
  return { name, originalName: name, server: gatewayServer, definition: {}, hints: {}, validate: () => undefined }
}

/** The search as something that is asked for by name. */
export const searchEntry: CatalogueEntry = ownEntry(searchToolName)

/** Whether a call of this name runs another tool, at this gateway. */
export function runsTools({ snapshot, gateway }: Pick<McpContext, 'snapshot' | 'gateway'>, name: string): boolean {
  return name === runToolName && snapshot.gateways.get(gateway)?.listing === 'search'
}
