// What a form does with one entry: on the pages of the library, of an item, and wherever an entry is shown.
import { type EntryVerb, entryVerbs, fileWords } from '../entry-words.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';

/** As many digits as a number holds exactly. */
export const ID = '{[0-9]{1,15}}';

export function addEntryActions(
  routes: Routes,
  { entryActions, isCatalogue }: Pick<WebServices, 'entryActions' | 'isCatalogue'>,
): void {
  for (const verb of Object.keys(entryVerbs) as EntryVerb[]) {
    routes.action(`/entries/:id${ID}/${verb}`, 'owner', async (context) => ({
      notice: await entryVerbs[verb](entryActions, Number(context.req.param('id')), (entry) =>
        fileWords(entry, isCatalogue),
      ),
    }));
  }
}
