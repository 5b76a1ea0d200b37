/** Files of other gateways, as their documentation writes them, and what an import makes of one. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MapNode } from '../../../config/locate.ts'
import { draftText } from './draft-text.ts'
import { importerIds, importers, type ImporterId } from './importers.ts'
import { planGatewayImport, type GatewayImport } from './planning-gateway-import.ts'
import { parseGatewayFile } from './reading-gateway-file.ts'

export interface GatewayFile {
  readonly from: ImporterId
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly text: string
}

export const gatewayFiles: readonly GatewayFile[] = importerIds.flatMap((from) => {
  const folder = join(import.meta.dirname, '..', from, 'fixtures')
  return readdirSync(folder)
    .filter((name) => /^[\w-]+\.yaml$/.test(name))
    .map((name) => ({ from, name, path: join(folder, name), text: readFileSync(join(folder, name), 'utf8') }))
})

export function imported(from: ImporterId, root: MapNode | string): GatewayImport & { readonly text: string } {
  const plan = planGatewayImport(from, typeof root === 'string' ? parseGatewayFile('theirs.yaml', root) : root, { PATH: '/usr/bin' })
  return { ...plan, text: draftText(plan.config, importers[from].title, 'theirs.yaml') }
}
