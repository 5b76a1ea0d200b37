/** The reference server for a git repository, `mcp-server-git`: it works on local repositories and pushes nothing. */
import type { ContractPack } from '../pack.ts'
import { changesOwn, each, readsOwn } from './kinds.ts'

export const git: ContractPack = {
  name: 'git',
  version: 1,
  of: 'PyPI mcp-server-git',
  contracts: {
    ...each(
      ['git_status', 'git_diff_unstaged', 'git_diff_staged', 'git_diff', 'git_log', 'git_show', 'git_branch'],
      readsOwn('The developer’s own repository. One that takes in commits of strangers unread needs a contract of yours.'),
    ),
    ...each(['git_add', 'git_create_branch'], {
      why: 'Takes note of what is in the work tree; it can be taken back, and nothing leaves by it, so it goes on after untrusted reads.',
      output: { trust: 'trusted' },
      effects: ['mutation'],
    }),
    ...each(
      ['git_commit', 'git_checkout'],
      changesOwn('Runs the hooks of the repository, which an agent that read something untrusted may just have written.'),
    ),
    git_reset: changesOwn('Puts aside what was chosen, so it needs a session that has read nothing untrusted.'),
  },
}
