/** `turnward schema`: JSON Schema of the configuration file, for editors. */
import type { Command } from 'commander'
import { configJsonSchema } from '@turnward/contract/config'
import { jsonOption } from '../shared-options.ts'

export function addSchema(program: Command): void {
  program
    .command('schema')
    .description('print the JSON Schema of the configuration file')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward schema > turnward.schema.json\n  # and at the top of turnward.yaml:\n  # yaml-language-server: $schema=./turnward.schema.json',
    )
    .action((options: { json?: boolean }) => {
      const schema = configJsonSchema()
      process.stdout.write(`${options.json === true ? JSON.stringify(schema) : JSON.stringify(schema, null, 2)}\n`)
    })
}
