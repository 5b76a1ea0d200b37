/** `turnward import --from litellm|kong|apisix FILE`: reads the file, writes ours, and tells what became of every value of theirs. */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { MapNode } from '../../../config/locate.ts'
import { TurnwardError } from '../../../core/error.ts'
import { exitCodes } from '../../exit-codes.ts'
import { fail, print } from '../../output.ts'
import { variablesText } from '../import-report.ts'
import { checkVariablesFile, writeVariablesFile } from '../import-variables-file.ts'
import { draftText, whyNotTaken } from './draft-text.ts'
import { findingsText } from './findings-report.ts'
import { importerIds, importers, type ImporterId } from './importers.ts'
import { planGatewayImport } from './planning-gateway-import.ts'
import { readGatewayFile } from './reading-gateway-file.ts'

export interface GatewayImportOptions {
  readonly out: string
  readonly force?: boolean
  /** Options that are for files of clients only. */
  readonly client?: string
  readonly gateway?: string
  readonly network?: readonly string[]
  readonly install?: boolean
  readonly secretsFile?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

export async function importGateway(from: ImporterId, files: readonly string[], options: GatewayImportOptions): Promise<void> {
  try {
    const [file] = files
    if (file === undefined || files.length > 1)
      throw new TurnwardError('request.invalid', {
        subject: `--from ${from}`,
        why: file === undefined ? 'no file is named' : `${files.length} files are named`,
        fix: `Name one file: \`turnward import --from ${from} FILE\`.`,
      })
    checkOptions(from, options)
    const out = resolve(options.out)
    const secretsFile = options.secretsFile === undefined ? undefined : resolve(options.secretsFile)
    const isWritten = options.dryRun !== true
    if (isWritten) checkPlaces(out, secretsFile, options.force === true)
    const root = await readGatewayFile(file)
    checkSections(from, basename(file), root)
    const plan = planGatewayImport(from, root, process.env)
    const text = draftText(plan.config, importers[from].title, basename(file))
    const why = await whyNotTaken(text, plan.samples)
    if (why !== undefined)
      throw new TurnwardError('gateway.internal', { subject: basename(file), why: `what was made of it would not be taken: ${why}` })
    if (isWritten) {
      await written(out, text, options.force === true)
      if (secretsFile !== undefined) await writeVariablesFile(secretsFile, plan.variables)
    }
    const variables = plan.variables.map(({ name, servers, value, about }) => ({
      name,
      for: servers,
      inFile: value !== undefined,
      ...(about === '' ? {} : { about }),
    }))
    print(
      options,
      {
        from,
        file: resolve(file),
        out,
        written: isWritten,
        ...(isWritten ? {} : { config: text }),
        findings: plan.findings,
        notes: plan.notes,
        variables,
        ...(secretsFile !== undefined && isWritten ? { secretsFile } : {}),
      },
      [
        ...(isWritten ? [] : [text]),
        findingsText(plan.findings, plan.notes),
        variablesText(plan.variables, isWritten ? secretsFile : undefined),
        isWritten ? `Wrote ${out}. Next: \`turnward check --config ${options.out}\`` : 'Nothing was written.',
      ]
        .filter((part) => part !== '')
        .join('\n\n'),
    )
    if (plan.findings.some(({ outcome }) => outcome !== 'carried')) process.exitCode = exitCodes.negative
  } catch (error) {
    fail(options, error)
  }
}

function checkSections(from: ImporterId, file: string, root: MapNode): void {
  const { title, sections } = importers[from]
  if (sections.some((section) => root.entries.has(section))) return
  throw new TurnwardError('request.invalid', {
    subject: file,
    why: `it has none of the sections of a file of ${title}: ${sections.map((section) => `\`${section}\``).join(', ')}`,
    fix: `Say with \`--from ${importerIds.join('|')}\` whose file it is.`,
  })
}

async function written(out: string, text: string, isForced: boolean): Promise<void> {
  try {
    await writeFile(out, text, { flag: isForced ? 'w' : 'wx' })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    throw new TurnwardError('request.invalid', {
      subject: out,
      why: `it cannot be written (${code})`,
      fix: 'Name another file with --out.',
    })
  }
}

/** An option that does nothing is a mistake that nobody would notice. */
function checkOptions(from: ImporterId, { client, gateway, network = [], install = true }: GatewayImportOptions): void {
  const given = {
    '--client': client !== undefined,
    '--gateway': gateway !== undefined,
    '--network': network.length > 0,
    '--no-install': !install,
  }
  for (const [option, isGiven] of Object.entries(given))
    if (isGiven)
      throw new TurnwardError('request.invalid', {
        subject: option,
        why: `it is for \`--from mcp-client\`, and not for \`--from ${from}\``,
      })
}

function checkPlaces(out: string, secretsFile: string | undefined, isForced: boolean): void {
  if (secretsFile !== undefined) checkVariablesFile(secretsFile)
  if (existsSync(out) && !isForced)
    throw new TurnwardError('request.invalid', {
      subject: out,
      why: 'it exists',
      fix: 'Choose another name with --out, or overwrite it with --force.',
    })
}
