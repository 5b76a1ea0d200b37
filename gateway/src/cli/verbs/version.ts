/** `turnward version`. */
import type { Command } from 'commander'
import { print } from '../output.ts'
import { jsonOption } from '../shared-options.ts'
import { version } from '../version.ts'

export function addVersion(program: Command): void {
  program
    .command('version')
    .description('print the version')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward version --json')
    .action((options: { json?: boolean }) =>
      print(options, { version, node: process.versions.node }, `turnward ${version} (Node ${process.versions.node})`),
    )
}
