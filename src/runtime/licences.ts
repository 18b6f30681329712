// The licences of what is inside the program, from the lock file and the packages themselves. build.ts embeds the
// result; from source it is read when somebody asks.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Licence {
  readonly name: string;
  readonly version: string;
  /** SPDX, as the package says. */
  readonly licence: string;
  readonly text: string;
}

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
}

/** Types only, or one file for many platforms that `libsql` speaks for: nothing of them is inside. */
const NOT_INSIDE = /^(?:@types\/|bun-types$|undici-types$|@libsql\/(?:linux|darwin|win32)-)/;

/** @param root folder of package-lock.json and node_modules */
export function collectLicences(root: string, bunVersion: string): Licence[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const licences = Object.entries(lock.packages).flatMap(([path, { version, license, dev }]) => {
    const name = path.split('node_modules/').at(-1)!;
    const folder = join(root, path);
    if (path === '' || dev === true || NOT_INSIDE.test(name) || !existsSync(folder)) return [];
    return [{ name, version, licence: license ?? 'unknown', text: readText(folder) }];
  });
  return [bunLicence(bunVersion), ...licences].sort((left, right) => (left.name < right.name ? -1 : 1));
}

function readText(folder: string): string {
  const file = readdirSync(folder).find((name) => /^(?:licen[cs]e|copying)(?:\.(?:md|txt))?$/i.test(name));
  if (file !== undefined) return readFileSync(join(folder, file), 'utf8').trim();
  const { author, repository } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly author?: string | { readonly name?: string };
    readonly repository?: string | { readonly url?: string };
  };
  const by = typeof author === 'object' ? author.name : author;
  const at = typeof repository === 'object' ? repository.url : repository;
  return ['The package brings no text of its licence.', by && `Author: ${by}.`, at && `Source: ${at}`]
    .filter(Boolean)
    .join('\n');
}

function bunLicence(version: string): Licence {
  return {
    name: 'Bun',
    version,
    licence: 'MIT and others',
    text: `The runtime inside the executable. Bun itself is under the MIT licence. It links JavaScriptCore and other parts of
WebKit, which are under LGPL-2 in part: https://github.com/oven-sh/webkit. The parts it is made of, their licences and
how to link it with a changed WebKit: https://bun.sh/docs/project/licensing`,
  };
}
