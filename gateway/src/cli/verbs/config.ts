/** `turnward config`: objects of the configuration that are made over the API of a running gateway, as one document: compared, checked, applied, taken back. */
import { dirname, resolve } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { plainValue } from '../../config/locate.ts'
import { ConfigError, ProblemList } from '../../config/problems.ts'
import { maxFileBytes, parseSource, readText } from '../../config/read-file.ts'
import { TurnwardError } from '../../core/error.ts'
import { asText, canonicalJson, isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { listOf, numberText, printableLines, timeText } from '../answered-text.ts'
import { type ApiOptions, askApi } from '../api-client.ts'
import { exitCodes } from '../exit-codes.ts'
import { fail, print, table } from '../output.ts'
import { administratorKeyOption, jsonOption, urlOption } from '../shared-options.ts'

interface ConfigOptions extends ApiOptions {
  readonly json?: boolean
  readonly dryRun?: boolean
  readonly force?: boolean
  readonly reason?: string
  readonly limit?: string
}

export function addConfig(program: Command): void {
  const config = program
    .command('config')
    .description('objects of the configuration that are made over the API: export, diff, apply, roll back')
  const verb = (name: string, description: string, example: string): Command =>
    config
      .command(name)
      .description(description)
      .addOption(urlOption())
      .addOption(administratorKeyOption())
      .addOption(jsonOption())
      .addHelpText('after', `\nExample:\n  $ TURNWARD_KEY=tw_… turnward config ${example}`)
  const changing = (command: Command): Command =>
    command.option('--reason <text>', 'why, for the history').option('--dry-run', 'only say what would change, and what is wrong with it')
  const document = 'YAML or JSON, as `turnward config export` prints it; `-` is standard input'

  verb('export', 'print all of them as one document', 'export > managed.yaml').action((options: ConfigOptions) =>
    run(options, () => askApi(options, '/api/config/export'), exportText),
  )
  verb('diff', 'what a document would change; exit code 5 when it would', 'diff managed.yaml')
    .argument('<file>', document)
    .action((file: string, options: ConfigOptions) =>
      run(options, async () => askApi(options, '/api/config/diff', { body: await documentIn(file) }), changesText, hasChanges),
    )
  verb('check', 'what is wrong with a document, together with the configuration file of the gateway', 'check managed.yaml')
    .argument('<file>', document)
    .action((file: string, options: ConfigOptions) =>
      run(options, async () => askApi(options, '/api/config/check', { body: await documentIn(file) }), problemsText, hasProblems),
    )
  changing(
    verb('apply', 'make a document what is managed over the API: all of it, or nothing', 'apply managed.yaml --reason "the new team"'),
  )
    .argument('<file>', document)
    .option('--force', 'whatever somebody has changed since it was exported')
    .action((file: string, options: ConfigOptions) => run(options, () => apply(file, options), outcomeText, hasProblems))
  verb('history', 'who changed what, when and why', 'history')
    .option('--limit <n>', 'how many, at most 200', '20')
    .action((options: ConfigOptions) =>
      run(options, () => askApi(options, `/api/config/revisions?limit=${encodeURIComponent(options.limit ?? '')}`), historyText),
    )
  verb('show', 'what a revision changed', 'show 12')
    .argument('<revision>', 'as `turnward config history` shows it')
    .action((revision: string, options: ConfigOptions) => run(options, () => askApi(options, pathOf(revision)), revisionText))
  changing(verb('rollback', 'go back to a revision, as a new one; 0 takes away all that is managed over the API', 'rollback 12'))
    .argument('<revision>', 'as `turnward config history` shows it')
    .action((revision: string, options: ConfigOptions) =>
      run(options, () => askApi(options, `${pathOf(revision)}/rollback${queryOf(options)}`, { method: 'POST' }), outcomeText, hasProblems),
    )
}

async function apply(file: string, options: ConfigOptions): Promise<JsonObject> {
  const { revision, ...rest } = await documentIn(file)
  const isForced = options.force === true
  const body = isForced || revision === undefined ? rest : { revision, ...rest }
  return askApi(options, `/api/config/apply${queryOf(options)}`, { body, headers: isForced ? { 'if-match': '*' } : {} })
}

function pathOf(revision: string): string {
  return `/api/config/revisions/${encodeURIComponent(revision)}`
}

function queryOf({ dryRun, reason }: ConfigOptions): string {
  const query = new URLSearchParams({
    ...(dryRun === true ? { dry_run: 'true' } : {}),
    ...(reason === undefined ? {} : { reason }),
  }).toString()
  return query === '' ? '' : `?${query}`
}

/** Rejects with ConfigError when it is no YAML, or `request.invalid` when it is no document. */
async function documentIn(file: string): Promise<JsonObject> {
  const path = file === '-' ? 'standard input' : resolve(file)
  const text = await (file === '-' ? textOf(process.stdin) : readText(path, maxFileBytes)).catch((error: unknown) => {
    throw new TurnwardError('request.invalid', { subject: file, why: error instanceof Error ? error.message : 'cannot be read' })
  })
  const problems = new ProblemList()
  const root = parseSource(path, text, problems)
  if (root === undefined) throw new ConfigError(problems.sorted(), dirname(path))
  const document = plainValue(root)
  if (isObject(document) && isObject(document.objects)) return document
  throw new TurnwardError('request.invalid', { subject: file, why: 'it has no `objects`: it is as `turnward config export` prints it' })
}

/** `isNegative`: says so with the exit code. */
async function run(
  options: ConfigOptions,
  ask: () => Promise<JsonObject>,
  text: (answer: JsonObject) => string,
  isNegative: (answer: JsonObject) => number = () => exitCodes.ok,
): Promise<void> {
  try {
    const answer = await ask()
    print(options, answer, printableLines(text(answer)))
    process.exitCode = isNegative(answer)
  } catch (error) {
    fail(options, error)
  }
}

function hasChanges({ changes }: JsonObject): number {
  return listOf(changes).length > 0 ? exitCodes.negative : exitCodes.ok
}

function hasProblems({ problems }: JsonObject): number {
  return listOf(problems).length > 0 ? exitCodes.config : exitCodes.ok
}

function exportText(answer: JsonObject): string {
  return stringify(answer, { lineWidth: 0 })
}

const signs: Readonly<Record<string, string>> = { added: '+', removed: '-', changed: '~' }

function changesText({ changes }: JsonObject): string {
  const lines = listOf(changes).flatMap(({ kind, name, change, before, after }) => [
    `${signs[asText(change)] ?? '?'} ${asText(kind)}/${asText(name)}`,
    ...(change === 'changed' ? fieldsText(before, after) : []),
  ])
  return lines.length === 0 ? 'Nothing is different.' : lines.join('\n')
}

/** The fields of an object that are different. */
function fieldsText(before: JsonValue | undefined, after: JsonValue | undefined): readonly string[] {
  if (!isObject(before) || !isObject(after)) return [`    ${shortText(before)} -> ${shortText(after)}`]
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return fields
    .filter((field) => canonicalJson(before[field]) !== canonicalJson(after[field]))
    .map((field) => `    ${field}: ${shortText(before[field])} -> ${shortText(after[field])}`)
}

const longestShown = 100

function shortText(value: JsonValue | undefined): string {
  const text = value === undefined ? 'not set' : JSON.stringify(value)
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text
}

function problemsText({ problems }: JsonObject): string {
  const lines = listOf(problems).map(({ object, path, message, place }) => {
    const { source, line, column } = isObject(place) ? place : {}
    const where = typeof object === 'string' ? `${object} (${asText(path)})` : `${asText(source)}:${numberText(line)}:${numberText(column)}`
    return `${where}  ${asText(message)}`
  })
  return lines.length === 0 ? 'Nothing is wrong.' : lines.join('\n')
}

function outcomeText(answer: JsonObject): string {
  const { applied, running, revision, problems, changes } = answer
  if (listOf(changes).length === 0) return `Nothing is different from revision ${numberText(revision)}.`
  const stays = running === true ? 'runs' : 'is written, and does not run at this gateway: see its log'
  const end =
    applied === true ? `Revision ${numberText(revision)} ${stays}.` : `Nothing was changed: revision ${numberText(revision)} is the newest.`
  return [changesText(answer), ...(listOf(problems).length === 0 ? [] : [problemsText(answer)]), end].join('\n')
}

function historyText({ revisions }: JsonObject): string {
  const rows = listOf(revisions).map(({ revision, made, by, summary, reason }) => [
    numberText(revision),
    timeText(made),
    asText(by),
    asText(summary),
    typeof reason === 'string' ? reason : '-',
  ])
  return rows.length === 0 ? 'Nothing was made over the API.' : table([['REVISION', 'MADE', 'BY', 'WHAT', 'WHY'], ...rows])
}

function revisionText(answer: JsonObject): string {
  const { changes } = answer
  const what = changes === undefined ? 'The revision before is not kept any more.' : changesText(answer)
  return `${historyText({ revisions: [answer] })}\n${what}`
}
