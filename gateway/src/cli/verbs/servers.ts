/** `turnward servers`: installs MCP servers, shows what is installed, brings it up to date and removes it. */
import { Option, type Command } from 'commander'
import { addServer } from '../servers/add.ts'
import { configOption, jsonOption } from '../shared-options.ts'

export function addServers(program: Command): void {
  const servers = program.command('servers').description('install and manage MCP servers')
  withConsent(
    servers
      .command('add')
      .description('install a server from npm or PyPI, try it in the sandbox, and write its entry')
      .argument('<package>', '`npm:NAME` or `pypi:NAME`, with `@VERSION` or without for the newest')
      .argument('[args...]', 'arguments of the server; behind `--` when they begin with a dash')
      .option('--name <name>', 'name of the server; default: after its package')
      .option('--bin <program>', 'which program of the package is the server')
      .option('--gateway <name>', 'MCP gateway that shows it')
      .addOption(repeated('--mount <path>', 'folder it sees, read-only; with `:rw` behind it may write'))
      .addOption(repeated('--network <host>', 'host it may reach, `name` or `name:port`'))
      .addOption(repeated('--env <name>', 'variable it gets: `NAME` from the environment of the gateway, or `NAME=VALUE`')),
  )
    .addHelpText(
      'after',
      `
Example:
  $ turnward servers add npm:@modelcontextprotocol/server-filesystem ./notes --mount ./notes:rw --gateway main
  $ turnward servers add pypi:mcp-server-time --yes -- --local-timezone Europe/Berlin

No code of a package runs while it is installed. Exit code 5 when nobody could be asked and nothing was changed.`,
    )
    .action(addServer)
}

function withConsent(command: Command): Command {
  return command
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'say what would be done, and do nothing')
    .addOption(configOption())
    .addOption(jsonOption())
}

function repeated(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, before: readonly string[]) => [...before, value]).default([])
}
