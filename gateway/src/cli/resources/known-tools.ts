/**
 * The tools of all servers as administrators look at them: what each server has listed, what waits for a review, and who describes
 * it. What a server says is not trusted: whatever is shown of it is spelled out.
 */
import type { shownToolSchema, toolDetailSchema } from '@turnward/contract/api/tools'
import type { z } from 'zod'
import type { Snapshot } from '../../config/snapshot.ts'
import { exposedName } from '../../core/exposed-names.ts'
import { parseExactJson } from '../../core/exact-json.ts'
import { sha256 } from '../../core/hash.ts'
import { asText, isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { effectiveContract } from '../../policy/contracts.ts'
import type { ToolSubject } from '../../policy/types.ts'
import type { Approval, HeldDefinition } from '../../store/pins.ts'
import type { Fleet } from '../../tools/catalogue.ts'
import { readTools } from '../../tools/tool-definitions.ts'
import type { ToolUse } from '../../audit/tool-use.ts'
import { contractView, coverageOf } from '../policy/contract-view.ts'
import { definitionChanges, definitionText, spelledOut } from '../reviewing/definition-diff.ts'
import { gatewaysOf } from '../servers/listing-servers.ts'

type ShownTool = z.input<typeof shownToolSchema>
type ToolDetail = z.input<typeof toolDetailSchema>

/** A tool as its server lists it now. */
export interface KnownTool {
  readonly name: string
  readonly server: string
  readonly tool: string
  /** SHA-256 of the definition. */
  readonly digest: string
  readonly definition: JsonObject
  readonly subject: ToolSubject
  readonly pin: ShownTool['pin']
  /** What was accepted last. */
  readonly accepted: Approval | undefined
}

const longestLine = 200
const nothingUsed = { calls: 0, refused: 0, observed: 0 }

/** Every tool of every server of the snapshot, by name. One that waits for a review stands there as it would be if it were accepted. */
export function knownTools(
  snapshot: Snapshot,
  fleet: Pick<Fleet, 'known'>,
  held: readonly HeldDefinition[],
  approvals: readonly Approval[],
): readonly KnownTool[] {
  // The last approval of a tool is the one that counts.
  const accepted = new Map(approvals.map((one) => [keyOf(one), one]))
  const waiting = held.filter(({ server }) => snapshot.servers.has(server))
  const names = new Set(waiting.map(keyOf))
  const listed = fleet.known(snapshot).flatMap((one): KnownTool[] => {
    const key = keyOf({ server: one.server, tool: one.originalName })
    if (names.has(key)) return []
    const last = accepted.get(key)
    // Where nothing else is used, this is what its server is asked for as soon as it is listed again.
    if (last !== undefined && last.digest !== one.digest && snapshot.servers.get(one.server)?.config.pin === 'review')
      return [readTool(last, 'accepted', last)]
    const pin = last?.digest === one.digest ? 'accepted' : 'unreviewed'
    const { name, server, originalName: tool, digest, definition, hints } = one
    return [
      { name, server, tool, digest, definition: { ...definition, name: tool }, subject: { name, server, hints }, pin, accepted: last },
    ]
  })
  return [...listed, ...waiting.map((one) => readTool(one, accepted.has(keyOf(one)) ? 'changed' : 'new', accepted.get(keyOf(one))))].sort(
    (one, other) => (placeOf(one) < placeOf(other) ? -1 : 1),
  )
}

/** Its place in the order of all: by its name, and where two have one name, by what is theirs alone. */
export function placeOf({ name, server, tool }: Pick<KnownTool, 'name' | 'server' | 'tool'>): string {
  return `${name} ${server} ${sha256(tool).slice(0, 16)}`
}

const keyOf = ({ server, tool }: Pick<Approval, 'server' | 'tool'>): string => `${server} ${tool}`

type Stored = Pick<HeldDefinition, 'server' | 'tool' | 'digest' | 'definition'>

function readTool({ server, tool, digest, definition: text }: Stored, pin: KnownTool['pin'], accepted: Approval | undefined): KnownTool {
  const definition = definitionIn(text)
  const name = exposedName(server, tool)
  const [read] = readTools(server, [definition]).tools
  const subject = { name, server, ...(read === undefined ? {} : { hints: read.hints }) }
  return { name, server, tool, digest, definition, subject, pin, accepted }
}

/** `use`: what is on record of it, if anything. */
export function shownTool({ policy }: Pick<Snapshot, 'policy'>, known: KnownTool, use: ToolUse | undefined): ShownTool {
  const { name, server, tool, definition, pin } = known
  const contract = policy.contractOf(name)
  const { calls, refused, observed } = use ?? nothingUsed
  const title = titleOf(definition)
  return {
    name,
    server,
    tool: spelledOut(tool),
    title: title === undefined ? null : spelledOut(title.slice(0, longestLine)),
    description: spelledOut((asText(definition.description).split('\n', 1)[0] ?? '').slice(0, longestLine)),
    coverage: coverageOf(contract),
    pin,
    use: { calls, refused, observed },
  }
}

export function toolDetail(snapshot: Snapshot, known: KnownTool, use: ToolUse | undefined): ToolDetail {
  const { policy, origins } = snapshot
  const { name, server, digest, definition, pin, accepted, subject } = known
  const contract = policy.contractOf(name)
  const origin = contract === undefined ? undefined : origins.get(`contracts.${contract.pattern}`)
  const { pattern: _pattern, from, ...says } = contract === undefined ? { pattern: '', from: '' } : contractView(contract, policy)
  const schema = definition.inputSchema
  const isHeld = pin === 'new' || pin === 'changed'
  return {
    ...shownTool(snapshot, known, use),
    about: asText(definition.description).split('\n').map(spelledOut).join('\n'),
    definition: { digest, text: definitionText(definition) },
    input_schema: isObject(schema) ? schema : {},
    contract:
      contract === undefined
        ? null
        : {
            from,
            pattern: contract.pattern,
            place: origin === undefined || contract.packs !== undefined ? null : { source: origin.source, line: origin.line },
            says,
          },
    hinted: [...effectiveContract(contract, subject).hinted],
    accepted: accepted === undefined ? null : { digest: accepted.digest, at: accepted.approved, by: spelledOut(accepted.by) },
    changes: isHeld
      ? definitionChanges(accepted === undefined ? undefined : definitionIn(accepted.definition), definition).map(({ path, lines }) => ({
          path,
          lines: [...lines],
        }))
      : [],
    gateways: [...gatewaysOf(snapshot, server)],
  }
}

/** Whether a tool is what somebody looks for; `q` in small letters. */
export function mentions({ name, tool, definition }: KnownTool, q: string): boolean {
  return [name, tool, titleOf(definition) ?? '', asText(definition.description)].some((text) => text.toLowerCase().includes(q))
}

function titleOf({ title, annotations }: JsonObject): string | undefined {
  if (typeof title === 'string') return title
  return isObject(annotations) && typeof annotations.title === 'string' ? annotations.title : undefined
}

/** As it was stored. */
function definitionIn(text: string): JsonObject {
  const parsed = parseExactJson(text) as JsonValue
  return isObject(parsed) ? parsed : {}
}
