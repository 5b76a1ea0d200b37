/** `turnward policy`: what is known of tools, what could be, and what enforcing it would have refused. */
import type { Command } from 'commander'
import { showPolicy } from '../policy/show.ts'
import { configOption, jsonOption } from '../shared-options.ts'

export function addPolicy(program: Command): void {
  const policy = program.command('policy').description('show contracts, draft missing ones, and see what enforcing them would refuse')
  policy
    .command('show')
    .description('print the contracts of the configuration')
    .option('--effective', 'with the contracts of packs')
    .option('--tool <name>', 'print only the contract this tool name gets, and why')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward policy show --effective\n  $ turnward policy show --tool Bash')
    .action(showPolicy)
}
