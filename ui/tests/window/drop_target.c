/* A small window that takes files which are dropped on it and prints their addresses, one a line, as a file manager
   or another program would take them. */
#include <gtk/gtk.h>

static void take(GtkWidget *widget, GdkDragContext *context, gint x, gint y, GtkSelectionData *data, guint info,
                 guint time, gpointer user) {
  char **uris = gtk_selection_data_get_uris(data);
  for (char **uri = uris; uri && *uri; uri++) g_print("%s\n", *uri);
  g_print("end\n");
  g_strfreev(uris);
}

int main(int count, char **arguments) {
  gtk_init(&count, &arguments);
  GtkWidget *window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
  gtk_window_set_title(GTK_WINDOW(window), "drop target");
  gtk_window_set_default_size(GTK_WINDOW(window), 150, 100);
  gtk_container_add(GTK_CONTAINER(window), gtk_label_new("drop here"));

  GtkTargetEntry files = {"text/uri-list", 0, 0};
  gtk_drag_dest_set(window, GTK_DEST_DEFAULT_ALL, &files, 1, GDK_ACTION_COPY);
  g_signal_connect(window, "drag-data-received", G_CALLBACK(take), NULL);
  g_signal_connect(window, "destroy", G_CALLBACK(gtk_main_quit), NULL);
  gtk_widget_show_all(window);
  gtk_window_move(GTK_WINDOW(window), 1445, 890);
  gtk_main();
  return 0;
}
