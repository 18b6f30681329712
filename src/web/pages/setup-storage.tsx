// The step of the first run that says where bytes live and how much they may take.
import { formatSentence } from '../../../views/format.ts';
import { SetupStoragePage } from '../../../views/pages/setup-storage.tsx';
import { emptyForm, type FormState } from '../../../views/parts/field.tsx';
import { renderPage } from '../../../views/render.ts';
import { LarderError } from '../../errors.ts';
import { storageSettings } from '../../offline/storage.ts';
import { readForm } from '../forms.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import { addSetupStep, type SetupFrameOf } from '../setup-step.ts';
import { changesIn, storageFields } from '../storage-form.ts';
import type { WebContext } from '../web-environment.ts';

type Services = Pick<WebServices, 'setup' | 'storage' | 'settings' | 'chunkFolder'>;

export function addSetupStorageStep(routes: Routes, { setup, storage, settings, chunkFolder }: Services): void {
  async function show(context: WebContext, frame: SetupFrameOf, form: FormState = emptyForm): Promise<Response> {
    const disk = await storage.state();
    const props = { frame, folder: chunkFolder, disk, fields: storageFields(disk), form };
    return context.html(renderPage(<SetupStoragePage {...props} />), form === emptyForm ? 200 : 422);
  }

  addSetupStep(routes, setup, {
    name: 'storage',
    title: 'Storage',
    settledBy: () => settings.get('cacheSize').place,
    show: (context, frame) => show(context, frame),
    take: async (context, frame) => {
      const changes = changesIn(await readForm(context));
      const errors: Record<string, string> = {};
      // Each by itself, so that what is wrong stands at its field.
      for (const name of storageSettings) {
        const text = changes[name];
        if (text === undefined) continue;
        try {
          await storage.preview({ [name]: text });
        } catch (error) {
          if (!(error instanceof LarderError)) throw error;
          errors[name] = [error.message, error.hint].flatMap((words) => (words ? formatSentence(words) : [])).join(' ');
        }
      }
      if (Object.keys(errors).length > 0) return show(context, frame, { typed: { ...changes }, errors });
      await storage.change(changes);
      return null;
    },
  });
}
