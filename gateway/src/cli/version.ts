/** The version of this build, from the package itself. */
import { readFileSync } from 'node:fs'
import { packageFile } from './package-folder.ts'

const manifest = JSON.parse(readFileSync(packageFile, 'utf8')) as { readonly version: string }

export const version: string = manifest.version
