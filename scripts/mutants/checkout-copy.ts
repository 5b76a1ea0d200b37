/**
 * A copy of the checkout to break things in. The working tree is read once and never written; packages are links
 * to the ones installed there, except our own workspaces, which would otherwise lead back to the original.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

export interface CheckoutCopy {
  readonly root: string
  write(file: string, text: string): void
  remove(): void
}

const leftOut = new Set(['node_modules', '.git', 'dist', 'coverage', '.turnward'])

export function copyCheckout(from: string): CheckoutCopy {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'turnward-mutants-')))
  // Some tests run servers as another user, who must be able to enter.
  chmodSync(root, 0o755)
  cpSync(from, root, { recursive: true, filter: (path) => path === from || !leftOut.has(basename(path)) })
  linkPackages(join(from, 'node_modules'), join(root, 'node_modules'), root)
  for (const workspace of ['gateway', 'contract'])
    linkPackages(join(from, workspace, 'node_modules'), join(root, workspace, 'node_modules'), root)
  return {
    root,
    write: (file, text) => writeFileSync(join(root, file), text),
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

function linkPackages(from: string, to: string, root: string): void {
  if (!existsSync(from)) return
  mkdirSync(to)
  for (const entry of readdirSync(from)) {
    if (entry === '@turnward') linkWorkspaces(join(from, entry), join(to, entry), root)
    // Caches of tools stay apart: a mutant must not leave anything behind for the original.
    else if (!entry.startsWith('.') || entry === '.bin') symlinkSync(join(from, entry), join(to, entry))
  }
}

function linkWorkspaces(from: string, to: string, root: string): void {
  mkdirSync(to)
  for (const name of readdirSync(from)) symlinkSync(join(root, basename(realpathSync(join(from, name)))), join(to, name))
}
