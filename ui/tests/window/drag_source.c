/* A small window whose label can be dragged: it offers the files given as arguments,
   as a file manager does. */
#include <gtk/gtk.h>

static char **uris;

static void offer(GtkWidget *widget, GdkDragContext *context, GtkSelectionData *data, guint info, guint time,
                  gpointer user) {
  gtk_selection_data_set_uris(data, uris);
}

int main(int count, char **arguments) {
  gtk_init(&count, &arguments);
  uris = g_new0(char *, count);
  for (int i = 1; i < count; i++) uris[i - 1] = g_filename_to_uri(arguments[i], NULL, NULL);

  GtkWidget *window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
  gtk_window_set_title(GTK_WINDOW(window), "drag source");
  gtk_window_set_default_size(GTK_WINDOW(window), 150, 100);
  GtkWidget *box = gtk_event_box_new();
  gtk_container_add(GTK_CONTAINER(box), gtk_label_new("drag me"));
  gtk_container_add(GTK_CONTAINER(window), box);

  GtkTargetEntry files = {"text/uri-list", 0, 0};
  gtk_drag_source_set(box, GDK_BUTTON1_MASK, &files, 1, GDK_ACTION_COPY);
  g_signal_connect(box, "drag-data-get", G_CALLBACK(offer), NULL);
  g_signal_connect(window, "destroy", G_CALLBACK(gtk_main_quit), NULL);
  gtk_widget_show_all(window);
  gtk_window_move(GTK_WINDOW(window), 1445, 890);
  gtk_main();
  return 0;
}
