/** `turnward policy suggest`: drafts contracts for tools nobody described, ready to paste, with why and how much they cover. */
import { printable } from '../../audit/format-tree.ts'
import { loadConfig } from '../../config/load.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { closest } from '../../core/closest-name.ts'
import { TurnwardError } from '../../core/error.ts'
import { fail, print } from '../output.ts'
import { openingSettingsOf, readingPlaceOf } from '../places.ts'
import { listServers } from './listed-tools.ts'
import { readUse } from './reading-use.ts'
import { suggest, type ServerCoverage, type Suggestion } from './suggestion.ts'
import { packText, suggestionYaml } from './suggestion-yaml.ts'

export interface SuggestOptions {
  readonly config: string
  readonly json?: boolean
  readonly server?: string
  readonly offline?: boolean
}

export async function suggestContracts(options: SuggestOptions): Promise<void> {
  try {
    const snapshot = await loadConfig(options.config, process.env)
    const names = serverNames(snapshot, options.server)
    const [listings, { uses }] = await Promise.all([
      options.offline === true ? names.map((server) => ({ server, tools: undefined, detail: undefined })) : listServers(snapshot, names),
      readUse(readingPlaceOf(openingSettingsOf(snapshot))),
    ])
    const suggestion = suggest(snapshot, listings, uses)
    const yaml = suggestionYaml(suggestion, configuredPacks(snapshot))
    print(options, { ...suggestion, yaml }, `${suggestionText(suggestion)}${yaml === '' ? '' : `\n${yaml}`}`)
  } catch (error) {
    fail(options, error)
  }
}

function serverNames(snapshot: Snapshot, only: string | undefined): readonly string[] {
  const all = [...snapshot.servers.keys()]
  if (only === undefined) return all
  if (snapshot.servers.has(only)) return [only]
  const nearest = closest(only, all)
  throw new TurnwardError('request.invalid', {
    subject: '--server',
    why: `there is no server \`${only}\`${nearest === undefined ? '' : `; did you mean \`${nearest}\`?`}`,
  })
}

/** What `packs:` lists already, so that the line to paste replaces it whole. */
export function configuredPacks({ policy }: Snapshot): readonly string[] {
  return [...new Set((policy.packs ?? []).map(packText))]
}

/** The coverage, as comments, so that all of the output can be pasted. */
export function suggestionText({ servers, coverage, onRecord, unknown }: Suggestion): string {
  const lines = servers.map((server) => `# ${server.server}: ${coverageText(server)}`)
  lines.push(
    `# coverage: ${coverage.described} of ${coverage.tools} tools described, ${coverage.drafted} drafted below. Drafts guess: read them.`,
  )
  if (onRecord.calls > 0)
    lines.push(
      `# of ${onRecord.calls} calls of these on record the drafts would have refused ${onRecord.refused}${onRecord.notKnown === 0 ? '' : `; of ${onRecord.notKnown} it is not known, because arguments are not on record`}.`,
    )
  if (unknown.length > 0) {
    const named = unknown.slice(0, 10).map(({ tool, seen }) => `${printable(tool).slice(0, 64)} (${seen})`)
    lines.push(
      `# run by clients and described by nobody: ${named.join(', ')}${unknown.length > named.length ? `, and ${unknown.length - named.length} more` : ''}`,
    )
  }
  return `${lines.join('\n')}\n`
}

function coverageText({ from, why, tools, described, drafted }: ServerCoverage): string {
  const counts = `${tools} tools, ${described} described, ${drafted} drafted`
  return from === 'listed'
    ? counts
    : `${counts}; from the decision log only${why === undefined ? '' : `, because it could not be asked (${printable(why).replaceAll(/\s+/g, ' ')})`}`
}
