/** Finds tools by words: in their names first, then in what they say of themselves and of their arguments. Pure but for what it remembers. */
import MiniSearch from 'minisearch'
import { BoundedMap } from '../../core/bounded-map.ts'
import { sha256 } from '../../core/hash.ts'
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
const longestText = 1000
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

/** Words that say nothing of what is looked for. */
const stopWords = new Set([
  'a',
  'an',
  'and',
  'any',
  'by',
  'for',
  'from',
  'in',
  'is',
  'it',
  'me',
  'my',
  'of',
  'on',
  'or',
  'that',
  'the',
  'this',
  'to',
  'with',
])

/** One word as it is looked up; null when it is not. */
function term(word: string): string | null {
  const lower = word.toLowerCase()
  if (stopWords.has(lower)) return null
  return lower.length > 3 && lower.endsWith('s') && !lower.endsWith('ss') ? lower.slice(0, -1) : lower
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

function indexOf(tools: readonly CatalogueTool[]): MiniSearch<Document> {
  const index = new MiniSearch<Document>({
    fields: ['name', 'title', 'description', 'arguments'],
    tokenize: words,
    processTerm: term,
    searchOptions: {
      boost: { name: 4, title: 4 },
      prefix: (word) => word.length > 2,
      fuzzy: (word) => (word.length > 4 ? 0.2 : false),
      weights: { prefix: 0.4, fuzzy: 0.2 },
    },
  })
  index.addAll(tools.map(documentOf))
  return index
}

/** A catalogue stays the same object while nothing changes, and often has the same tools when something has: they are read once. */
const ofCatalogues = new WeakMap<GatewayCatalogue, MiniSearch<Document>>()
const ofTools = new BoundedMap<string, MiniSearch<Document>>({ most: 16 })

function indexFor(catalogue: GatewayCatalogue): MiniSearch<Document> {
  const known = ofCatalogues.get(catalogue)
  if (known !== undefined) return known
  const key = sha256(catalogue.tools.map(({ definition, digest, name }) => `${name} ${asText(definition.name)} ${digest}`).join('\n'))
  const index = ofTools.get(key) ?? indexOf(catalogue.tools)
  ofTools.set(key, index)
  ofCatalogues.set(catalogue, index)
  return index
}

/**
 * The tools of a catalogue that these words may mean, best first; a tool of this very name before all others. Without a word to
 * look for: all of them, in their order.
 */
export function foundIn(catalogue: GatewayCatalogue, query: string): readonly CatalogueTool[] {
  const { tools } = catalogue
  const terms = words(query).slice(0, mostTerms)
  if (terms.length === 0) return tools
  const exact = tools.filter((tool) => [tool.name, tool.originalName, tool.definition.name].includes(query.trim()))
  const index = indexFor(catalogue)
  // Who has all of the words comes before who has many of one.
  const found = (['AND', 'OR'] as const).flatMap((combineWith) =>
    index.search(terms.join(' '), { combineWith }).flatMap(({ id }) => tools[Number(id)] ?? []),
  )
  return [...new Set([...exact, ...found])]
}
