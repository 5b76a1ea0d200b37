/** Tools that keep free text which a model chose, and may be called after untrusted reads: what reads the same things reads that text. */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { changingWords, readingVerbs, sendingWords, wordsOf } from '../tool-words.ts'
import type { Contract, Policy } from '../types.ts'
import type { KnownTool } from './misplaced-trust.ts'
import { singular } from './strangers-words.ts'

export interface Writing {
  readonly tool: string
  readonly server: string
  /** The argument whose text is kept. */
  readonly argument: string
  /** Whether a tool of this name reads what is kept. */
  readonly isReadBy: (originalName: string) => boolean
}

/** Arguments that hold what is said, in the singular. */
const textArguments: ReadonlySet<string> = new Set(
  'content text body message note comment description title name subject summary value data topic observation label'.split(' '),
)

/** What tools of servers write, of those that untrusted words may reach. */
export function writingsOf(policy: Policy, tools: readonly KnownTool[]): readonly Writing[] {
  const common = new Map([...new Set(tools.map(({ server }) => server))].map((server) => [server, commonWords(tools, server)]))
  return tools.flatMap((tool): readonly Writing[] => {
    const contract = policy.contractOf(tool.name)
    // Undescribed, it is not called after untrusted reads unless it only reads.
    if (tool.server === undefined || contract === undefined || contract.requires.trust !== undefined || contract.remembers !== undefined)
      return []
    const words = wordsOf(tool.originalName)
    if (readingVerbs.has(words[0] ?? '') || !words.some((word) => changingWords.has(word) || sendingWords.has(word))) return []
    const argument = openText(tool.definition, contract)
    if (argument === undefined) return []
    const shared = common.get(tool.server) ?? new Set()
    const things = thingsOf(tool.originalName, shared)
    return [
      {
        tool: tool.name,
        server: tool.server,
        argument,
        isReadBy: (name) => isReader(name) && [...thingsOf(name, shared)].some((thing) => things.has(thing)),
      },
    ]
  })
}

/** The word for an argument with text of the model's own choice; undefined when there is none, or each needs a source. */
function openText(definition: JsonObject | undefined, { args }: Contract): string | undefined {
  const schema = definition?.['inputSchema']
  const properties = isObject(schema) && isObject(schema['properties']) ? schema['properties'] : {}
  for (const [name, property] of Object.entries(properties)) {
    const word = wordsOf(name)
      .map(singular)
      .find((one) => textArguments.has(one))
    if (word === undefined || !holdsText(property)) continue
    const rule = args === undefined ? undefined : (args.named.find((one) => one.name === name) ?? args.others)
    if (rule?.trust === undefined) return word
  }
  return undefined
}

function holdsText(schema: JsonValue | undefined): boolean {
  if (!isObject(schema)) return false
  const choices = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(choices)) return choices.some(holdsText)
  const { type } = schema
  return schema['enum'] === undefined && (type === 'string' || type === 'array' || type === 'object')
}

function isReader(name: string): boolean {
  return wordsOf(name).some((word) => readingVerbs.has(word))
}

/** What a name is about: its words without the verb in front, and without what says only how it reads or whose tool it is. */
function thingsOf(name: string, shared: ReadonlySet<string>): ReadonlySet<string> {
  const words = wordsOf(name).filter((word) => !shared.has(word))
  const [first = ''] = words
  const rest = changingWords.has(first) || sendingWords.has(first) ? words.slice(1) : words
  return new Set(rest.filter((word) => !readingVerbs.has(word)).map(singular))
}

/** Words that every tool of a server has in its name: `slack` in `slack_post_message`. */
function commonWords(tools: readonly KnownTool[], server: string | undefined): ReadonlySet<string> {
  const names = tools.filter((tool) => tool.server === server).map(({ originalName }) => wordsOf(originalName))
  const [first = [], ...others] = names
  return new Set(others.length < 2 ? [] : first.filter((word) => others.every((words) => words.includes(word))))
}
