/** `turnward import`: takes over what other programs are configured with. */
import { Option, type Command } from 'commander'
import { clientIds } from '../importing/clients.ts'
import { importGateway, type GatewayImportOptions } from '../importing/gateways/import-gateway.ts'
import { importerIds, isImporterId } from '../importing/gateways/importers.ts'
import { importClients, type ImportOptions } from '../importing/import-clients.ts'
import { configOption, jsonOption } from '../shared-options.ts'

export function addImport(program: Command): void {
  program
    .command('import')
    .description(
      'take over the MCP servers that coding agents and chat programs are configured with, or the configuration of another gateway',
    )
    .addOption(new Option('--from <what>', 'whose configuration it is').choices(['mcp-client', ...importerIds]).makeOptionMandatory())
    .argument('[files...]', 'files of clients; default: those in the usual places of each. Of another gateway: its one file')
    .option('--out <file>', 'for another gateway: the configuration to write', 'turnward.yaml')
    .option('--force', 'for another gateway: overwrite a configuration that is there')
    .option('--client <name>', `whose files they are, where their names do not tell, or whose to look for: ${clientIds.join(', ')}`)
    .option('--gateway <name>', 'MCP gateway that shows them; default: the only one, or `main`')
    .option('--no-install', 'install nothing: say with which `turnward servers add` to do it')
    .addOption(
      new Option('--network <server=host>', 'host that a server may reach')
        .argParser((value: string, before: readonly string[]) => [...before, value])
        .default([]),
    )
    .option('--secrets-file <path>', "write the secrets of the clients' files to this new file, for the environment of the gateway")
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'say what would be done, and do nothing')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Example:
  $ turnward import --from mcp-client                         all that is found here
  $ turnward import --from mcp-client .mcp.json --secrets-file secrets.env --network github=api.github.com
  $ turnward import --from litellm config.yaml --out turnward.yaml

Files of others are only read. A secret in one becomes a variable, and is neither copied nor shown.
Exit code 5 when something is left to do or means something else here, or when nobody could be asked and nothing was changed.`,
    )
    .action((files: readonly string[], options: ImportOptions & GatewayImportOptions & { readonly from: string }) =>
      isImporterId(options.from) ? importGateway(options.from, files, options) : importClients(files, options),
    )
}
