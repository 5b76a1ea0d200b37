/** From the file of another gateway to the configuration it would become and what is to be said of it. Reads nothing. */
import type { MapNode } from '../../../config/locate.ts'
import { ImportedVariables, type ImportedVariable } from '../imported-variables.ts'
import { Draft } from './draft.ts'
import { leavesOf, Ledger, type Finding } from './findings.ts'
import { ForeignTexts, type ForeignPart } from './foreign-text.ts'
import { Foreign } from './foreign-value.ts'
import { importers, type ImporterId } from './importers.ts'
import { Samples } from './samples.ts'

export interface GatewayImport {
  readonly config: Readonly<Record<string, unknown>>
  readonly findings: readonly Finding[]
  readonly notes: readonly string[]
  readonly variables: readonly ImportedVariable[]
  readonly samples: Samples
}

/** `env`: of this process, whose variables are not to be given another meaning. */
export function planGatewayImport(from: ImporterId, root: MapNode, env: Readonly<Record<string, string | undefined>>): GatewayImport {
  const { title, parts, implied, given, take } = importers[from]
  const ledger = new Ledger(root)
  const document = new Foreign(root, ledger)
  const known = given(document)
  const referred = [...implied(document), ...referredNames(root, parts)].filter((name) => !known.has(name))
  const variables = new ImportedVariables(env, referred)
  const samples = new Samples()
  const draft = new Draft(variables, samples)
  take(document, draft, new ForeignTexts(variables, samples, parts, known))
  const config = draft.config()
  if (config['routes'] === undefined) document.note(`No model was taken over. Is it a file of ${title}?`)
  return { config, findings: ledger.findings(), notes: ledger.notes, variables: variables.list(), samples }
}

function referredNames(root: MapNode, parts: (text: string) => readonly ForeignPart[]): string[] {
  return [...leavesOf(root, [])].flatMap(([, node]) =>
    node.kind === 'scalar' && typeof node.value === 'string'
      ? parts(node.value).flatMap((part) => ('variable' in part ? [part.variable] : []))
      : [],
  )
}
