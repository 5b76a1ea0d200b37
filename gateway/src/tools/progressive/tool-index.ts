/** Finds tools by words: in their names first, then in what they say of themselves and of their arguments. Pure but for what it remembers. */
import MiniSearch from 'minisearch'
import { asText, isObject } from '../../core/json.ts'
import type { CatalogueTool, GatewayCatalogue } from '../catalogue.ts'

interface Document {
  readonly id: number
  readonly name: string
  readonly title: string
  readonly description: string
  readonly arguments: string
}

/** What is indexed of one tool, in UTF-16 units: servers write as much as they like. */
const longestText = 4000
const mostTerms = 24
const longestTerm = 32

/** Words of names are put together in several ways: `list_orders`, `listOrders`, `list-orders`, `HTTPServer`. */
function words(text: string): string[] {
  return text
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => word.slice(0, longestTerm))
}

function documentOf(tool: CatalogueTool, id: number): Document {
  const { name, title, description, inputSchema } = tool.definition
  const properties = isObject(inputSchema) && isObject(inputSchema.properties) ? Object.entries(inputSchema.properties) : []
  const described = properties.map(([argument, schema]) => `${argument} ${isObject(schema) ? asText(schema.description) : ''}`)
  return {
    id,
    name: `${tool.name} ${tool.originalName} ${asText(name)}`,
    title: asText(title).slice(0, longestText),
    description: asText(description).slice(0, longestText),
    arguments: described.join(' ').slice(0, longestText),
  }
}

class ToolIndex {
  readonly #tools: readonly CatalogueTool[]
  readonly #index: MiniSearch<Document>

  constructor(tools: readonly CatalogueTool[]) {
    this.#tools = tools
    this.#index = new MiniSearch<Document>({
      fields: ['name', 'title', 'description', 'arguments'],
      tokenize: words,
      searchOptions: {
        boost: { name: 4, title: 2 },
        prefix: (term) => term.length > 2,
        fuzzy: (term) => (term.length > 4 ? 0.2 : false),
        weights: { prefix: 0.4, fuzzy: 0.2 },
      },
    })
    this.#index.addAll(tools.map(documentOf))
  }

  /** Best first; a tool of this very name before all others. Without a word to look for: all of them, by name. */
  find(query: string): readonly CatalogueTool[] {
    const terms = words(query).slice(0, mostTerms)
    if (terms.length === 0) return this.#tools
    const exact = this.#tools.filter((tool) => [tool.name, tool.originalName, tool.definition.name].includes(query.trim()))
    const found = this.#index.search(terms.join(' ')).flatMap(({ id }) => this.#tools[Number(id)] ?? [])
    return [...exact, ...found.filter((tool) => !exact.includes(tool))]
  }
}

/** A catalogue stays the same object while nothing changes. */
const indexes = new WeakMap<GatewayCatalogue, ToolIndex>()

/** The tools of a catalogue that these words may mean, best first. */
export function foundIn(catalogue: GatewayCatalogue, query: string): readonly CatalogueTool[] {
  let index = indexes.get(catalogue)
  if (index === undefined) indexes.set(catalogue, (index = new ToolIndex(catalogue.tools)))
  return index.find(query)
}
