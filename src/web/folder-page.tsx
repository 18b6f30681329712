import { FolderPage, type FolderPageProps } from '../../views/pages/folder.tsx';
import { renderPage } from '../../views/render.ts';

/** In a file of its own: views are loaded with the first page that is asked for. */
export function renderFolder(props: FolderPageProps): string {
  return renderPage(<FolderPage {...props} />);
}
