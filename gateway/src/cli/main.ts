/** The command line: one file a verb, assembled here. The only room that reads the environment. */
import { Command } from 'commander'
import { exitCodes } from './exit-codes.ts'
import { addAudit } from './verbs/audit.ts'
import { addCheck } from './verbs/check.ts'
import { addDemo } from './verbs/demo.ts'
import { addInit } from './verbs/init.ts'
import { addKeys } from './verbs/keys.ts'
import { addSchema } from './verbs/schema.ts'
import { addStart } from './verbs/start.ts'
import { addTools } from './verbs/tools.ts'
import { addTurns } from './verbs/turns.ts'
import { addVersion } from './verbs/version.ts'
import { version } from './version.ts'

const program = new Command('turnward')
  .description('Turnward: the gateway that terminates agent turns.')
  .version(version, '-V, --version')
  .showHelpAfterError('(add --help for the options of a command)')
  .configureHelp({ sortSubcommands: false })
  .addHelpText(
    'after',
    `
Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 configuration not valid, 4 not reachable, 5 negative result.

Start here:
  $ turnward demo                       one governed turn, offline, no keys needed
  $ turnward init && turnward start     your own gateway`,
  )

for (const add of [addStart, addDemo, addInit, addCheck, addSchema, addKeys, addTools, addTurns, addAudit, addVersion]) add(program)

// Commander exits with 1 on wrong usage; ours is 2, like other command line tools.
exitWithUsageCode(program)

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok)
  throw error
})

await program.parseAsync(process.argv)

function exitWithUsageCode(command: Command): void {
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage))
  for (const child of command.commands) exitWithUsageCode(child)
}
