/**
 * What the agents model test believes, in plain words and without a line of the product: what each tool brings into a
 * conversation, what it may not run after, and what a conversation has therefore read.
 */

/** What restricts a conversation that has read it: words of strangers, or words meant for some people only. */
export type Restriction = 'strangers' | 'for some people only'

export interface ToolRule {
  /** Whether the gateway runs it at an MCP server, or the client by itself. */
  readonly runsAt: 'gateway' | 'client'
  /** What its result brings. */
  readonly brings?: Restriction
  /** It acts, and must not run in a conversation that has read this. */
  readonly forbids?: Restriction
  /** What its server says of its arguments lets the model get them wrong: `page` is a number. */
  readonly hasPages?: boolean
  /** The model makes this call in the same words in several conversations. */
  readonly mayBeCommon?: boolean
}

export const rules = {
  web__fetch: { runsAt: 'gateway', brings: 'strangers', hasPages: true },
  hr__read: { runsAt: 'gateway', brings: 'for some people only', hasPages: true },
  mail__send: { runsAt: 'gateway', forbids: 'strangers', mayBeCommon: true },
  board__publish: { runsAt: 'gateway', forbids: 'for some people only' },
  notes__look: { runsAt: 'gateway', mayBeCommon: true, hasPages: true },
  notes__keep: { runsAt: 'gateway' },
  notes__recall: { runsAt: 'gateway' },
  browse: { runsAt: 'client', brings: 'strangers' },
  shell: { runsAt: 'client', forbids: 'strangers' },
} as const satisfies Record<string, ToolRule>

export type RuledTool = keyof typeof rules
export const ruledTools = Object.keys(rules) as readonly RuledTool[]
export const gatewayTools = ruledTools.filter((tool) => rules[tool].runsAt === 'gateway')

export function ruleOf(tool: RuledTool): ToolRule {
  return rules[tool]
}

export type Restrictions = ReadonlySet<Restriction>
export const nothing: Restrictions = new Set()

/** What is known of a piece of a conversation. */
export interface Content {
  /** What is really in it. */
  readonly read: Restrictions
  /** What the gateway may hold against it: a superset, because it judges a result by the tool it came from. */
  readonly may: Restrictions
}

export const clean: Content = { read: nothing, may: nothing }

export function together(parts: readonly Content[]): Content {
  return { read: union(parts.map(({ read }) => read)), may: union(parts.map(({ may }) => may)) }
}

export function union(sets: readonly Restrictions[]): Restrictions {
  return new Set(sets.flatMap((set) => [...set]))
}

/** Words with what is in them. */
export interface Words extends Content {
  readonly text: string
}

/** Long enough to be recognised, and unlike any other. */
export function sentence(number: number, about: string): string {
  const words = ['heron', 'amber', 'lantern', 'quarry', 'meadow', 'copper', 'violet', 'harbour', 'thistle']
  return `${about}: ${words.map((word) => `${word}${number}`).join(' ')}.`
}

/** Whether there is a sentence in these words: less is recognised nowhere, and so carries nothing. */
export function hasSentence({ text }: Words): boolean {
  return text.includes(' lantern')
}

/** What one conversation has read, as the rules see it. A fork, a compaction and a sub-agent each begin another. */
export class Reading {
  read: Set<Restriction>
  may: Set<Restriction>
  /** Read through calls that nothing tied to this conversation; the connection carries them. */
  readonly loose = new Set<Restriction>()
  /** When its model was last called (Unix milliseconds). */
  askedAt = 0
  readonly owner: number

  constructor(owner: number, { read, may }: Content = clean) {
    this.owner = owner
    this.read = new Set(read)
    this.may = new Set(may)
  }

  add({ read, may }: Content): void {
    for (const one of read) this.read.add(one)
    for (const one of [...may, ...read]) this.may.add(one)
  }
}

/** What was read through the MCP connections of one owner, whichever program called. */
export class Connection {
  readonly read = new Set<Restriction>()
  readonly may = new Set<Restriction>()
  usedAt = -Infinity

  /** A call without a ticket came through it. */
  used(now: number, { read, may }: Content, idleMs: number): void {
    if (now - this.usedAt > idleMs) this.read.clear()
    this.usedAt = now
    for (const one of read) this.read.add(one)
    for (const one of [...may, ...read]) this.may.add(one)
  }
}

/** Whether a call of this tool breaks the rules after this was read. */
export function isForbidden(tool: RuledTool, read: Iterable<Restriction>): boolean {
  const { forbids } = ruleOf(tool)
  return forbids !== undefined && [...read].includes(forbids)
}
