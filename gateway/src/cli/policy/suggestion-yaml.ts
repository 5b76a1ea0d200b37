/** A suggestion as lines to paste into `turnward.yaml`. Names come from servers, so every text is quoted as JSON, which YAML reads alike. */
import type { DraftContract } from '../../policy/drafting-contracts.ts'
import { onRecordText } from './draft-on-record.ts'
import type { DraftedTool, Suggestion } from './suggestion.ts'

/** `packs:` and `contracts:` with a comment of why on each; empty when there is nothing to add. */
export function suggestionYaml({ packs, drafts }: Pick<Suggestion, 'packs' | 'drafts'>, configured: readonly string[] = []): string {
  const lines: string[] = []
  if (packs.length > 0) {
    const why = packs
      .map(
        ({ pack, server, tools }) =>
          `${pack} describes ${tools.length} tool${tools.length === 1 ? '' : 's'} ${server === undefined ? 'seen' : `of ${server}`}`,
      )
      .join('; ')
    lines.push(`# ${why}`, `packs: [${[...configured, ...packs.map(packText)].join(', ')}]`)
  }
  if (drafts.length > 0) lines.push('contracts:')
  let server: string | undefined
  for (const draft of drafts) {
    if (draft.server !== server) lines.push(`  # ${draft.server}`)
    server = draft.server
    lines.push(`  # ${comment(draft)}`, `  ${JSON.stringify(draft.tool)}: ${contractYaml(draft.contract)}`)
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** An entry of `packs`. Names of servers need no quotes. */
export function packText({ pack, server }: { readonly pack: string; readonly server?: string | undefined }): string {
  return server === undefined || server === pack ? pack : `{ ${pack}: ${server} }`
}

function comment({ kind, why, seen, onRecord }: DraftedTool): string {
  return `${kind}: ${why}${seen === 0 ? '' : ` (${onRecordText(onRecord)})`}`
}

function contractYaml({ output, effects, requires }: DraftContract): string {
  const parts = [`output: { trust: ${text(output.trust)}, audience: ${list(output.audience)} }`]
  if (effects !== undefined) parts.push(`effects: ${list(effects)}`)
  if (requires !== undefined) {
    const needs = [
      ...(requires.trust === undefined ? [] : [`trust: ${text(requires.trust)}`]),
      ...(requires.audience === undefined ? [] : [`audience: { includes: ${list(requires.audience.includes)} }`]),
    ]
    parts.push(`requires: { ${needs.join(', ')} }`)
  }
  return `{ ${parts.join(', ')} }`
}

function list(texts: readonly string[]): string {
  return `[${texts.map(text).join(', ')}]`
}

/** Plain where nobody could read anything else into it. */
function text(value: string): string {
  return /^[a-z]{2,}$/.test(value) && !['true', 'false', 'yes', 'no', 'on', 'off', 'null'].includes(value) ? value : JSON.stringify(value)
}
