/** Where this package is: the same answer for the sources and for the build, which lie at different depths. */
import { findPackageJSON } from 'node:module'
import { dirname } from 'node:path'

/** The package's manifest. */
export const packageFile = manifestOf(import.meta.url)

/** Absolute path of the folder that holds the package's manifest, `bin` and `demo`. */
export const packageFolder = dirname(packageFile)

function manifestOf(url: string): string {
  const path = findPackageJSON(url)
  if (path === undefined) throw new Error('the package.json of turnward is missing')
  return path
}
