/** `turnward audit verify`: proves that the decision log is what the gateway wrote. */
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { verifyLog, type VerifyReport } from '../../audit/verify.ts'
import { exitCodes } from '../exit-codes.ts'
import { fail, print } from '../output.ts'
import { logPlaceAt, publicKeyAt, type DataDirOptions } from '../places.ts'
import { configOption, dataDirOption, jsonOption } from '../shared-options.ts'

interface AuditOptions extends DataDirOptions {
  readonly json?: boolean
  readonly publicKey?: string
}

export function addAudit(program: Command): void {
  const audit = program.command('audit').description('check the decision log')
  audit
    .command('verify')
    .description('find edited, removed or reordered records and a cut tail')
    .addOption(configOption())
    .addOption(dataDirOption())
    .option('--public-key <file>', 'PEM of the checkpoint key, kept apart from the data folder')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward audit verify --json\n\nExit code 5 when the log does not verify.')
    .action(verify)
}

async function verify(options: AuditOptions): Promise<void> {
  try {
    const publicKey = options.publicKey === undefined ? await publicKeyAt(options) : await readFile(options.publicKey, 'utf8')
    const report = await verifyLog(await logPlaceAt(options), { publicKey })
    print(options, report, reportText(report))
    if (!report.ok) process.exitCode = exitCodes.negative
  } catch (error) {
    fail(options, error)
  }
}

function reportText(report: VerifyReport): string {
  const head = `${report.ok ? 'ok' : 'NOT VERIFIED'}: ${report.records} records, ${report.checkpoints} checkpoints, ${report.uncovered} records after the last one`
  return [
    head,
    ...report.problems.map(
      (problem) =>
        `  ${problem.kind} at record ${problem.seq}${problem.chain === undefined ? '' : ` of ${problem.chain}`}: ${problem.detail}`,
    ),
  ].join('\n')
}
